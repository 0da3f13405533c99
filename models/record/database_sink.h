// SPDX-License-Identifier: Apache-2.0
// Records in an SQLite database, written by a thread of its own: the models fill batches, the thread empties them, and
// when it cannot keep up the models wait. Nothing is dropped. The schema is in docs/records.md: translations are
// packed, some hundreds to a row of table `chunk` (SQLite takes longer for a row than the simulator for a translation),
// and view `translation` unpacks them, so that plain SQL reads them like any table. The file has its name only when it
// is complete; until then it is NAME.part.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "record/sink.h"

namespace iommusim::record {

struct DatabaseOptions {
  std::vector<std::pair<std::string, std::string>> meta;  ///< rows of table `meta`, beside the sink's own
  std::size_t batch_events = 8192;                        ///< at least 16
  std::size_t batches = 8;                                ///< at least 2; what waits for the thread at most
};

/// base::InputError for a file that exists or cannot be written, here or later.
std::unique_ptr<Sink> make_database_sink(const std::string& path, const DatabaseOptions& options = {});

/// Writes a table or view of a database as CSV, with a heading. base::InputError for what is not there.
void export_database(const std::string& path, const std::string& table, std::FILE* out);

}  // namespace iommusim::record
