// SPDX-License-Identifier: Apache-2.0
#include "record/database_schema.h"

namespace iommusim::record {

namespace {

constexpr const char* kTables = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE chunk(number INTEGER PRIMARY KEY, translations INTEGER, first_accepted_ps INTEGER,
                   last_accepted_ps INTEGER, rows TEXT);
CREATE TABLE fault(translation INTEGER, device INTEGER, process INTEGER, access TEXT, iova INTEGER, time_ps INTEGER,
                   cause INTEGER, iotval INTEGER, iotval2 INTEGER);
CREATE TABLE command(id INTEGER PRIMARY KEY, started_ps INTEGER, done_ps INTEGER, word0 INTEGER, word1 INTEGER);
CREATE TABLE register_access(id INTEGER PRIMARY KEY, start_ps INTEGER, done_ps INTEGER, offset INTEGER, bytes INTEGER,
                             is_write INTEGER, data INTEGER);
CREATE TABLE mapping(kind TEXT, space INTEGER, iova INTEGER, length INTEGER, start_ps INTEGER, done_ps INTEGER);
CREATE TABLE page_request(id INTEGER PRIMARY KEY, device INTEGER, process INTEGER, time_ps INTEGER, payload INTEGER);
)";

std::string field(unsigned number) { return "json_extract(r.value,'$[" + std::to_string(number) + "]')"; }
std::string column(unsigned number, const char* name) { return field(number) + " AS " + name + ", "; }

/// A coded field as the names of its values.
template <class Value>
std::string named(unsigned number, const char* name, Value last, const char* (*name_of)(Value)) {
  std::string text = "CASE " + field(number);
  for (unsigned value = 0; value <= static_cast<unsigned>(last); ++value)
    text += " WHEN " + std::to_string(value) + " THEN '" + name_of(static_cast<Value>(value)) + "'";
  return text + " END AS " + name + ", ";
}

std::string stage(Stage stage, const char* name) {
  const unsigned number = 13 + static_cast<unsigned>(stage);
  return field(1) + " + " + field(number) + " AS " + name + ", ";
}

/// The order of the fields is that of Writer::pack().
std::string translation_view() {
  return "CREATE VIEW translation AS SELECT " + column(0, "id") + column(2, "device") + column(3, "process") +
         column(4, "iova") + column(5, "bytes") + named(6, "access", Access::kAtomic, access_name) +
         named(7, "outcome", Outcome::kDropped, outcome_name) + "nullif(" + field(10) + ",0) AS cause, " +
         named(9, "found", Found::kWalk, found_name) + "CASE " + field(8) + " WHEN 0 THEN NULL ELSE 1 << " + field(8) +
         " END AS page_bytes, " + "CASE " + field(7) + " WHEN 0 THEN " + field(11) + " END AS spa, " +
         column(12, "reads") + column(1, "accepted_ps") + stage(Stage::kPicked, "picked_ps") +
         stage(Stage::kDeviceContext, "device_context_ps") + stage(Stage::kProcessContext, "process_context_ps") +
         stage(Stage::kIotlb, "iotlb_ps") + stage(Stage::kWalkStart, "walk_start_ps") +
         stage(Stage::kWalkEnd, "walk_end_ps") + stage(Stage::kDone, "done_ps") +
         stage(Stage::kAnswered, "answered_ps") + field(13 + static_cast<unsigned>(Stage::kDone)) +
         " AS latency_ps FROM chunk, json_each(chunk.rows) AS r;";
}

}  // namespace

std::string database_tables() { return kTables + translation_view(); }

}  // namespace iommusim::record
