// SPDX-License-Identifier: Apache-2.0
#include "record/database_sink.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <filesystem>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "record/batch_queue.h"
#include "record/database_schema.h"

namespace iommusim::record {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) { throw base::InputError({path, 0, 0}, why); }

/// SQLite's integers are signed; the bits stay.
std::int64_t as_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

class Database {
 public:
  Database(const std::string& file, int flags, std::string name) : name_(std::move(name)) {
    const int code = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
    if (code == SQLITE_OK) return;
    const std::string why = sqlite3_errstr(code);
    sqlite3_close(handle_);
    refuse(name_, "cannot be opened as a database: " + why);
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& statements) {
    check(sqlite3_exec(handle_, statements.c_str(), nullptr, nullptr, nullptr));
  }
  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
      refuse(name_, std::string("the database cannot be used: ") + sqlite3_errmsg(handle_));
  }
  sqlite3* handle() const { return handle_; }

 private:
  std::string name_;
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement(Database& database, const std::string& sql) : database_(database) {
    database.check(sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &handle_, nullptr));
  }
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  sqlite3_stmt* handle() const { return handle_; }
  bool step() {
    const int code = sqlite3_step(handle_);
    database_.check(code);
    return code == SQLITE_ROW;
  }
  /// Binds the values in order and inserts.
  template <class... Values>
  void insert(const Values&... values) {
    int at = 0;
    (bind(++at, values), ...);
    step();
    sqlite3_reset(handle_);
  }

 private:
  void bind(int at, std::uint64_t value) { sqlite3_bind_int64(handle_, at, as_signed(value)); }
  void bind(int at, const char* text) { sqlite3_bind_text(handle_, at, text, -1, SQLITE_STATIC); }
  void bind(int at, const std::string& text) {
    sqlite3_bind_text(handle_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind(int at, std::nullptr_t) { sqlite3_bind_null(handle_, at); }

  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

/// The statements that fill the tables, and the chunk that is being packed.
class Writer {
 public:
  explicit Writer(Database& database)
      : database_(database),
        chunk_(database, "INSERT INTO chunk VALUES(?,?,?,?,?)"),
        fault_(database, "INSERT INTO fault VALUES(?,?,nullif(?,-1),?,?,?,?,?,?)"),
        command_(database, "INSERT INTO command VALUES(?,?,?,?,?)"),
        register_access_(database, "INSERT INTO register_access VALUES(?,?,?,?,?,?,?)"),
        mapping_(database, "INSERT INTO mapping VALUES(?,?,?,?,?,?)"),
        page_request_(database, "INSERT INTO page_request VALUES(?,?,nullif(?,-1),?,?)") {
    database.run("BEGIN");
  }

  void write(const Batch& batch) {
    for (std::size_t i = 0; i < batch.size();) {
      Row row{&batch[i++], nullptr, nullptr, 0};
      if (i < batch.size() && batch[i].kind == Kind::kDetail) row.detail = &batch[i++];
      row.wide = batch.data() + i;
      for (; i < batch.size() && batch[i].kind == Kind::kWideTime; ++i) ++row.wide_count;
      write(row);
    }
    if (++batches_ % 64 == 0) database_.run("COMMIT; BEGIN");
  }
  void finish() {
    put_chunk();
    database_.run("COMMIT");
  }

 private:
  static constexpr std::uint64_t kRowsInAChunk = 512;

  void write(const Row& row) {
    const Event& event = *row.event;
    const std::uint64_t process = event.process == kNoProcess ? ~0ULL : event.process;
    switch (event.kind) {
      case Kind::kTranslation:
        return pack(row);
      case Kind::kFault:
        return fault_.insert(event.id, std::uint64_t{event.device}, process,
                             access_name(static_cast<Access>(event.access)), event.address, event.time, event.value[0],
                             event.value[1], event.value[2]);
      case Kind::kCommand:
        return command_.insert(event.id, event.time, event.value[2], event.value[0], event.value[1]);
      case Kind::kRegister:
        return register_access_.insert(event.id, event.time, event.value[1], event.address, std::uint64_t{event.bytes},
                                       std::uint64_t{event.code}, event.value[0]);
      case Kind::kMap:
      case Kind::kUnmap:
        return mapping_.insert(kind_name(event.kind), event.value[1], event.address, event.value[0], event.time,
                               event.value[2]);
      case Kind::kPageRequest:
        return page_request_.insert(event.id, std::uint64_t{event.device}, process, event.time, event.value[0]);
      case Kind::kWideTime:
      case Kind::kDetail:
        base::contradiction("a part of a translation without its translation");
    }
  }

  /// [id, accepted, device, process, iova, bytes, access, outcome, page_shift, found, cause, spa, reads, stages...]
  void pack(const Row& row) {
    const Event& event = *row.event;
    text_ += rows_ == 0 ? "[[" : ",[";
    put(as_signed(event.id));
    put(as_signed(event.time));
    put(event.device);
    if (event.process == kNoProcess)
      text_ += "null,";
    else
      put(event.process);
    put(as_signed(event.address));
    put(event.bytes);
    put(event.access);
    put(event.code);
    put(event.page_shift);
    const Event none{};
    const Event& detail = row.detail == nullptr ? none : *row.detail;
    put(detail.code);
    put(detail.process);
    put(as_signed(detail.address));
    put(detail.bytes);
    for (unsigned stage = 0; stage < kStages; ++stage)
      if (const Picoseconds time = row.time_of(static_cast<Stage>(stage)); time != base::kNever)
        put(as_signed(time - event.time));
      else
        text_ += "null,";
    text_.back() = ']';
    first_ = std::min(first_, event.time);
    last_ = std::max(last_, event.time);
    if (++rows_ == kRowsInAChunk) put_chunk();
  }
  template <class Number>
  void put(Number number) {
    char digits[24];
    char* const end = std::to_chars(digits, digits + sizeof digits, std::int64_t{number}).ptr;
    *end = ',';
    text_.append(digits, static_cast<std::size_t>(end + 1 - digits));
  }
  void put_chunk() {
    if (rows_ == 0) return;
    text_ += ']';
    chunk_.insert(++chunks_, rows_, first_, last_, text_);
    text_.clear();
    rows_ = last_ = 0;
    first_ = base::kNever;
  }

  Database& database_;
  Statement chunk_, fault_, command_, register_access_, mapping_, page_request_;
  std::string text_;
  std::uint64_t batches_ = 0, chunks_ = 0, rows_ = 0;
  Picoseconds first_ = base::kNever, last_ = 0;
};

class DatabaseSink final : public Sink {
 public:
  DatabaseSink(const std::string& path, const DatabaseOptions& options)
      : path_(path), part_(path + ".part"), options_(options), queue_(options.batches, options.batch_events) {
    base::ensure(options.batch_events >= 16 && options.batches >= 2, "a database sink without room for events");
    std::error_code error;
    for (const std::string& file : {path_, part_})
      if (std::filesystem::exists(file, error)) refuse(file, "exists already, expected a name that is free");
    database_ = std::make_unique<Database>(part_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path_);
    try {
      database_->run(kDatabaseSettings);
      database_->run(database_tables());
      writer_ = std::make_unique<Writer>(*database_);
    } catch (...) {
      drop();
      throw;
    }
    batch_ = queue_.take_empty();
    thread_ = std::thread([this] { empty(); });
  }
  /// Without close(): what was written is not wanted.
  ~DatabaseSink() override {
    if (!thread_.joinable()) return;
    stopped_ = true;
    join();
    drop();
  }
  DatabaseSink(const DatabaseSink&) = delete;
  DatabaseSink& operator=(const DatabaseSink&) = delete;

  bool write(const Row& row) override {
    const std::size_t events = 1 + (row.detail != nullptr ? 1 : 0) + row.wide_count;
    if (batch_.size() + events > options_.batch_events) {
      queue_.put_full(std::move(batch_));
      batch_ = queue_.take_empty();
      if (stopped_) fail();
    }
    batch_.push_back(*row.event);
    if (row.detail != nullptr) batch_.push_back(*row.detail);
    batch_.insert(batch_.end(), row.wide, row.wide + row.wide_count);
    return true;
  }
  void close(const Closing& closing) override {
    if (!thread_.joinable()) return;  // it failed, and that was told
    queue_.put_full(std::move(batch_));
    join();
    if (failure_) fail();
    try {
      writer_->finish();
      finish(closing);
    } catch (...) {
      drop();
      throw;
    }
    writer_.reset();
    database_.reset();
    std::error_code error;
    std::filesystem::rename(part_, path_, error);
    if (error) refuse(path_, "cannot be written: " + error.message());
  }

 private:
  /// The thread. After a failure it goes on to take batches, so that nobody waits for ever.
  void empty() {
    Batch batch;
    while (queue_.take_full(batch)) {
      try {
        if (!stopped_) writer_->write(batch);
      } catch (...) {
        failure_ = std::current_exception();
        stopped_ = true;
      }
      queue_.put_empty(std::move(batch));
    }
  }
  void join() {
    queue_.end();
    thread_.join();
  }
  [[noreturn]] void fail() {
    if (thread_.joinable()) join();
    drop();
    std::rethrow_exception(failure_);
  }
  void drop() {
    writer_.reset();
    database_.reset();
    std::error_code error;
    std::filesystem::remove(part_, error);
  }
  void finish(const Closing& closing) {
    Statement meta(*database_, "INSERT INTO meta VALUES(?,?)");
    meta.insert("schema_version", std::to_string(kDatabaseVersion));
    for (const auto& [key, value] : options_.meta) meta.insert(key, value);
    meta.insert("ends_because", closing.full ? "full" : "end of run");
    meta.insert("last_ps", std::to_string(closing.time));
    meta.insert("records", std::to_string(closing.written));
    meta.insert("outside_window", std::to_string(closing.outside));
    meta.insert("not_sampled", std::to_string(closing.not_sampled));
  }

  std::string path_, part_;
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Writer> writer_;
  BatchQueue queue_;
  Batch batch_;
  std::atomic<bool> stopped_{false};
  std::exception_ptr failure_;  ///< the thread's, once it is stopped_ or joined
  std::thread thread_;
};

void put_csv(std::FILE* out, const unsigned char* text) {
  if (text == nullptr) return;
  const std::string value = reinterpret_cast<const char*>(text);
  if (value.find_first_of(",\"\n") == std::string::npos) {
    std::fputs(value.c_str(), out);
    return;
  }
  std::fputc('"', out);
  for (const char c : value) {
    if (c == '"') std::fputc('"', out);
    std::fputc(c, out);
  }
  std::fputc('"', out);
}

}  // namespace

std::unique_ptr<Sink> make_database_sink(const std::string& path, const DatabaseOptions& options) {
  return std::make_unique<DatabaseSink>(path, options);
}

void export_database(const std::string& path, const std::string& table, std::FILE* out) {
  Database database(path, SQLITE_OPEN_READONLY, path);
  Statement known(database,
                  "SELECT group_concat(name, ', '), sum(name = ?) FROM sqlite_schema WHERE type IN ('table', 'view')");
  sqlite3_bind_text(known.handle(), 1, table.c_str(), -1, SQLITE_STATIC);
  known.step();
  if (sqlite3_column_int(known.handle(), 1) == 0) {
    const auto* const names = sqlite3_column_text(known.handle(), 0);
    refuse(path, "has no table '" + table + "', expected one of: " +
                     (names == nullptr ? std::string("(it is empty)") : reinterpret_cast<const char*>(names)));
  }
  Statement rows(database, "SELECT * FROM \"" + table + "\"");
  const int columns = sqlite3_column_count(rows.handle());
  for (int i = 0; i < columns; ++i) std::fprintf(out, "%s%s", i == 0 ? "" : ",", sqlite3_column_name(rows.handle(), i));
  std::fputc('\n', out);
  while (rows.step()) {
    for (int i = 0; i < columns; ++i) {
      if (i != 0) std::fputc(',', out);
      put_csv(out, sqlite3_column_text(rows.handle(), i));
    }
    std::fputc('\n', out);
  }
}

}  // namespace iommusim::record
