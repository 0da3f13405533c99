// SPDX-License-Identifier: Apache-2.0
// The command line of iommusim. Exit codes: 0 done, 1 a run contradicted itself or vectors failed, 2
// bad input.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <systemc>

#include "base/error.h"
#include "commands.h"
#include "platform/presets.h"

namespace {

using namespace iommusim;

int parse_and_run(int argc, char** argv) {
  CLI::App app{"iommusim: a cycle-level simulator of an IOMMU system", "iommusim"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "iommusim 0.1.0");
  int result = 0;

  program::RunOptions run;
  CLI::App* const run_command = app.add_subcommand("run", "run a system from power-on to shutdown");
  run_command->add_option("system", run.system, "the system, a YAML file")->required();
  run_command->add_option("--set", run.sets, "set a parameter: path=value; may be repeated")->allow_extra_args(false);
  run_command->add_option("-o,--output", run.output, "folder for stats.json, config.yaml and summary.txt");
  run_command->add_option("--seed", run.seed, "sets both seeds: seed.workload and seed.timing");
  run_command->add_flag("--json", run.json, "print stats.json instead of the summary");
  run_command->add_flag("--quiet", run.quiet, "no progress");
  run_command->add_option("--db", run.database, "every translation, command and fault into a new SQLite database");
  run_command->add_option("--record-text", run.text, "the same as text, a line each");
  run_command->add_option("--record-jsonl", run.jsonl, "the same as JSON, an object a line");
  run_command->add_option("--record-from-ns", run.record_from_ns, "first time to record");
  run_command->add_option("--record-to-ns", run.record_to_ns, "first time not to record any more");
  run_command->add_option("--record-sample", run.record_sample, "record one in so many of each kind")
      ->check(CLI::Range(1U, ~0U));
  run_command->callback([&] { result = program::run(run); });

  std::string export_path, export_table = "translation";
  CLI::App* const export_command = app.add_subcommand("export", "print a table of a database of records as CSV");
  export_command->add_option("database", export_path, "what run --db wrote")->required();
  export_command->add_option("--table", export_table, "a table or view of it");
  export_command->callback([&] { result = program::export_records(export_path, export_table); });

  std::string format = "text";
  CLI::App* const params_command = app.add_subcommand("params", "list all parameters");
  params_command->add_option("--format", format, "how")
      ->check(CLI::IsMember({"text", "json", "markdown", "schema", "yaml"}));
  params_command->add_flag_callback(
      "--json", [&] { format = "json"; }, "the same as --format json");
  std::string preset = "none";
  params_command->add_option("--preset", preset, "with --format yaml: the values that this preset gives")
      ->check(CLI::IsMember(base::choice_names(platform::kPresets)));
  params_command->callback([&] { result = program::list_params(format, preset); });

  program::StatsOptions statistics;
  CLI::App* const stats_command = app.add_subcommand("stats", "list the statistics of a system and their definitions");
  stats_command->add_option("system", statistics.system, "the system, a YAML file")->required();
  stats_command->add_option("--set", statistics.sets, "set a parameter: path=value")->allow_extra_args(false);
  stats_command->add_option("--format", statistics.format, "how")->check(CLI::IsMember({"text", "json", "markdown"}));
  stats_command->add_flag_callback(
      "--json", [&] { statistics.format = "json"; }, "the same as --format json");
  stats_command->callback([&] { result = program::list_statistics(statistics); });

  program::ConformOptions conformance;
  CLI::App* const conform_command = app.add_subcommand("conform", "replay conformance vectors");
  conform_command->add_option("inputs", conformance.inputs, "files of vectors, or directories of them")->required();
  conform_command->add_option("--engine", conformance.engine, "which engine answers")
      ->check(CLI::IsMember({"functional", "cycle"}));
  conform_command->add_option("--set", conformance.sets, "set a parameter of the cycle engine: engine.path=value")
      ->allow_extra_args(false);
  conform_command
      ->add_option("--expected-failures", conformance.expected_failures,
                   "list of places that must fail; may be repeated")
      ->allow_extra_args(false);
  conform_command->add_flag("--json", conformance.json, "print everything as JSON");
  conform_command->callback([&] { result = program::conform(conformance); });

  program::ExecOptions exec;
  CLI::App* const exec_command = app.add_subcommand("exec", "run a program on a machine with /dev/iommu and /dev/vfio");
  exec_command->add_option("--machine", exec.machine, "which machine");
  exec_command
      ->add_option("--destroy", exec.destroy,
                   "IOMMU_DESTROY of an object that a call is using: wait for its end (wait), or EBUSY at once (busy)")
      ->check(CLI::IsMember({"wait", "busy"}));
  exec_command->add_option("--system", exec.system, "machine simulated: its file; without it, a machine is built in");
  exec_command->add_option("--set", exec.sets, "machine simulated: path=value, changes a parameter");
  exec_command->add_option("--seed", exec.seed, "machine simulated: both seeds");
  exec_command->add_option("-o,--output", exec.output,
                           "machine simulated: folder for statistics and the log of ioctls");
  exec_command->add_option("--ioctl-log", exec.ioctl_log, "machine simulated: file for the log of ioctls");
  exec_command->add_option("program", exec.program, "the program and its arguments, after --")->required();
  exec_command->positionals_at_end();
  exec_command->callback([&] { result = program::exec(exec); });

  CLI::App* const trace = app.add_subcommand("trace", "look at traces and convert them");
  trace->require_subcommand(1);
  std::string info_path;
  bool info_json = false;
  CLI::App* const info = trace->add_subcommand("info", "what a trace contains");
  info->add_option("trace", info_path, "the trace")->required();
  info->add_flag("--json", info_json, "as JSON");
  info->callback([&] { result = program::trace_info(info_path, info_json); });

  program::ConvertCommand convert;
  CLI::App* const convert_command = trace->add_subcommand("convert", "cut, filter and recompress a trace");
  convert_command->add_option("in", convert.in, "the trace to read")->required();
  convert_command->add_option("out", convert.out, "the trace to write; compressed if it ends in .zst")->required();
  convert_command->add_option("--from-ns", convert.from_ns, "first time to keep; becomes 0");
  convert_command->add_option("--to-ns", convert.to_ns, "first time to leave out");
  convert_command->add_option("--events", convert.events, "keep at most this many events");
  convert_command->add_option("--source", convert.sources, "keep this source only, bb:dd.f; may be repeated")
      ->allow_extra_args(false);
  convert_command->add_option("--level", convert.level, "zstd level")->check(CLI::Range(1, 22));
  convert_command->callback([&] { result = program::trace_convert(convert); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "iommusim: %s; `--help` tells what is expected\n", error.what());
    return 2;
  }
  return result;
}

}  // namespace

int sc_main(int argc, char** argv) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  try {
    return parse_and_run(argc, argv);
  } catch (const iommusim::base::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const iommusim::base::Contradiction& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "iommusim: %s\n", error.what());
    return 1;
  }
}

int main(int argc, char** argv) {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);  // the banner would stand in front of every output
  return sc_core::sc_elab_and_sim(argc, argv);
}
