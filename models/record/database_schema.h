// SPDX-License-Identifier: Apache-2.0
// Tables and views of the database of records, as SQL; docs/records.md explains them. A change that old queries notice
// raises the version.
#pragma once

#include <string>

#include "record/event.h"

namespace iommusim::record {

inline constexpr int kDatabaseVersion = 1;

/// The file is new, and it is thrown away when writing it fails: no journal is needed.
inline constexpr const char* kDatabaseSettings =
    "PRAGMA page_size=32768; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;";

/// CREATE statements of everything.
std::string database_tables();

}  // namespace iommusim::record
