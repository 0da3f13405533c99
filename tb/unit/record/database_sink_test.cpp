// SPDX-License-Identifier: Apache-2.0
// The database of records: what comes out of its view is what went in, whatever the size of the queue; and files that
// cannot be.
#include "record/database_sink.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "record/recorder.h"

namespace iommusim::record {
namespace {

namespace fs = std::filesystem;

class DatabaseSink : public testing::Test {
 protected:
  DatabaseSink() : folder_(fs::temp_directory_path() / ("iommusim-db-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~DatabaseSink() override { fs::remove_all(folder_); }
  std::string path(const char* name = "records.db") const { return folder_ / name; }
  /// The lines of a table, the heading first.
  std::vector<std::string> lines(const std::string& table) const {
    const std::string csv = path("table.csv");
    std::FILE* const out = std::fopen(csv.c_str(), "w");
    export_database(path(), table, out);
    std::fclose(out);
    std::ifstream in(csv);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }

 private:
  fs::path folder_;
};

Translation walked(std::uint64_t id) {
  Translation t;
  t.id = id;
  t.device = 0x18;
  t.iova = 0xfffffffffffff040;
  t.bytes = 64;
  t.access = Access::kWrite;
  t.found = Found::kWalk;
  t.page_shift = 21;
  t.reads = 3;
  t.spa = 0x5040;
  t.accepted = 1000 * id;
  t.picked = t.accepted + 1;
  t.device_context = t.accepted + 2;
  t.iotlb = t.accepted + 3;
  t.walk_start = t.accepted + 4;
  t.walk_end = t.accepted + (1ULL << 40);  // too wide for its field
  t.done = t.accepted + (1ULL << 40);
  t.answered = t.accepted + (1ULL << 41);
  return t;
}

TEST_F(DatabaseSink, EveryColumnHoldsWhatWasTold) {
  Recorder recorder;
  recorder.attach(make_database_sink(path(), {{{"name", "a, \"b\""}}, 8192, 8}));
  recorder.emit(walked(1));
  Translation fault;
  fault.id = 2;
  fault.process = 5;
  fault.outcome = Outcome::kFaulted;
  fault.cause = 13;
  fault.spa = 7;
  fault.accepted = 3000;
  fault.done = 3010;
  recorder.emit(fault);
  recorder.emit(Fault{2, 1, 5, Access::kRead, 0x1000, 3010, 13, 0x1000, 0});
  recorder.emit(Command{4, 60, 70, 0xA, ~0ULL});
  recorder.emit(RegisterAccess{5, 0x30, 8, true, 80, 90, 0xC});
  recorder.emit(Mapping{false, 6, 0x4000, 0x2000, 100, 110});
  recorder.emit(PageRequest{9, 3, kNoProcess, 120, 0xF});
  EXPECT_FALSE(fs::exists(path())) << "it has its name when it is complete";
  recorder.close();
  EXPECT_FALSE(fs::exists(path() + ".part"));
  EXPECT_EQ(
      lines("translation"),
      (std::vector<std::string>{
          "id,device,process,iova,bytes,access,outcome,cause,found,page_bytes,spa,reads,accepted_ps,picked_ps,"
          "device_context_ps,process_context_ps,iotlb_ps,walk_start_ps,walk_end_ps,done_ps,answered_ps,latency_ps",
          "1,24,,-4032,64,write,completed,,walk,2097152,20544,3,1000,1001,1002,,1003,1004,1099511628776,"
          "1099511628776,2199023256552,1099511627776",
          "2,0,5,0,0,read,faulted,13,nothing,,,0,3000,,,,,,,3010,,10"}));
  EXPECT_EQ(lines("fault")[1], "2,1,5,read,4096,3010,13,4096,0");
  EXPECT_EQ(lines("command")[1], "4,60,70,10,-1");
  EXPECT_EQ(lines("register_access")[1], "5,80,90,48,8,1,12");
  EXPECT_EQ(lines("mapping")[1], "map,6,16384,8192,100,110");
  EXPECT_EQ(lines("page_request")[1], "9,3,,120,15");
  const std::vector<std::string> meta = lines("meta");
  for (const char* const row : {"schema_version,1", "name,\"a, \"\"b\"\"\"", "records,7", "ends_because,end of run"})
    EXPECT_NE(std::find(meta.begin(), meta.end(), row), meta.end()) << row;
}

/// The smallest queue: the models wait for the thread all the time.
TEST_F(DatabaseSink, BackPressureLosesNothing) {
  constexpr std::uint64_t kCount = 5000;
  Recorder recorder;
  recorder.attach(make_database_sink(path(), {{}, 16, 2}));
  for (std::uint64_t id = 0; id < kCount; ++id) {
    recorder.emit(walked(id));
    if (id % 5 == 0) recorder.emit(Command{id, id, id, 0, 0});
  }
  recorder.close();
  const std::vector<std::string> rows = lines("translation");
  ASSERT_EQ(rows.size(), kCount + 1);
  for (std::uint64_t id = 0; id < kCount; ++id)
    ASSERT_EQ(rows[id + 1].substr(0, rows[id + 1].find(',')), std::to_string(id));
  EXPECT_EQ(lines("command").size(), kCount / 5 + 1);
  EXPECT_EQ(lines("chunk").size(), (kCount + 511) / 512 + 1);
}

TEST_F(DatabaseSink, ARunThatIsAbandonedLeavesNothing) {
  Recorder recorder;
  recorder.attach(make_database_sink(path(), {{}, 16, 2}));
  for (std::uint64_t id = 0; id < 1000; ++id) recorder.emit(walked(id));
  recorder.abandon();
  EXPECT_FALSE(recorder.active());
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_FALSE(fs::exists(path() + ".part"));
}

std::string refusal(const std::string& path) {
  try {
    make_database_sink(path);
  } catch (const base::InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_F(DatabaseSink, FilesThatCannotBeAreNamed) {
  std::ofstream(path()) << "mine";
  EXPECT_EQ(refusal(path()), path() + ": exists already, expected a name that is free");
  EXPECT_EQ(std::ifstream(path()).peek(), 'm') << "and is left alone";
  const std::string nowhere = path("no-folder") + "/x.db";
  EXPECT_NE(refusal(nowhere).find(nowhere), std::string::npos);
  EXPECT_FALSE(fs::exists(path("no-folder")));
  EXPECT_THROW(export_database(path(), "translation", stdout), base::InputError);
  EXPECT_THROW(export_database(path("absent.db"), "translation", stdout), base::InputError);
}

TEST_F(DatabaseSink, ATableThatIsNotThereIsRefusedWithThoseThatAre) {
  make_database_sink(path())->close({});
  try {
    export_database(path(), "translations", stdout);
    ADD_FAILURE() << "accepted";
  } catch (const base::InputError& error) {
    EXPECT_NE(std::string(error.what()).find("no table 'translations'"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("translation"), std::string::npos);
  }
}

}  // namespace
}  // namespace iommusim::record
