// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "commands.h"
#include "params/assign.h"
#include "params/document.h"
#include "params/echo.h"
#include "platform/params.h"

namespace iommusim::program {

int list_params(const std::string& format, const std::string& preset) {
  using platform::SystemParams;
  SystemParams values;
  params::Tree tree = params::load_yaml_text("preset: " + preset, "--preset");
  platform::apply_preset(tree);
  params::assign(values, tree);
  std::string text;
  if (format == "json")
    text = params::to_json(params::descriptions<SystemParams>());
  else if (format == "markdown")
    text = params::to_markdown(params::descriptions<SystemParams>());
  else if (format == "schema")
    text = params::to_json_schema<SystemParams>();
  else if (format == "yaml")
    text = params::to_yaml(values);
  else
    text = params::to_text(params::descriptions<SystemParams>());
  std::fputs(text.c_str(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
  return 0;
}

}  // namespace iommusim::program
