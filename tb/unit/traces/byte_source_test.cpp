// SPDX-License-Identifier: Apache-2.0
// The three encodings deliver the same bytes; any truncation of a compressed one is noticed, damage to it too.
#include "traces/byte_source.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "trace_fixture.h"

namespace iommusim::traces {
namespace {

std::string zstd_of(const std::string& text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string gzip_of(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Drained {
  std::string bytes;
  std::string error;
};
Drained drain(ByteSource& source, std::size_t chunk = 1000) {
  Drained out;
  std::string buffer(chunk, '\0');
  while (const std::size_t got = source.read(buffer.data(), buffer.size())) out.bytes.append(buffer, 0, got);
  out.error = source.error();
  return out;
}
Drained drain_bytes(const std::string& bytes) { return drain(*open_memory(bytes)); }

std::string sample_text() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919) + ",";
  return text;
}

RC_GTEST_PROP(ByteSourceLaw, EncodingIsInvisible, (const std::string& text)) {
  const std::size_t chunk = *rc::gen::inRange<std::size_t>(1, 300);
  for (const std::string& encoded : {zstd_of(text), gzip_of(text), zstd_of(text) + zstd_of("")}) {
    const auto source = open_memory(encoded);
    const Drained drained = drain(*source, chunk);
    RC_ASSERT(drained.bytes == text);
    RC_ASSERT(drained.error.empty());
  }
}

TEST(ByteSource, PlainBytesPassAsTheyAre) {
  for (const std::string text : {"", "#", "abc", "0,00:03.0,R"}) EXPECT_EQ(drain_bytes(text).bytes, text);
}

TEST(ByteSource, FramesAndMembersFollowOneAnother) {
  const std::string text = sample_text();
  EXPECT_EQ(drain_bytes(zstd_of(text) + zstd_of("x") + zstd_of(text)).bytes, text + "x" + text);
  EXPECT_EQ(drain_bytes(gzip_of(text) + gzip_of("x")).bytes, text + "x");
  const std::string skippable("\x51\x2a\x4d\x18\x03\0\0\0abc", 11);
  EXPECT_EQ(drain_bytes(skippable + zstd_of("x")).bytes, "x");
}

TEST(ByteSource, EveryTruncationIsAnError) {
  const std::string text = sample_text();
  for (const std::string& whole : {zstd_of(text), gzip_of(text)}) {
    for (std::size_t size = 4; size < whole.size(); size += size < 20 || size + 20 > whole.size() ? 1 : 997) {
      const Drained drained = drain_bytes(whole.substr(0, size));
      EXPECT_THAT(drained.error, testing::StartsWith("truncated ")) << size;
      EXPECT_EQ(text.compare(0, drained.bytes.size(), drained.bytes), 0);
    }
  }
}

TEST(ByteSource, DamageIsAnError) {
  for (std::string encoded : {zstd_of(sample_text()), gzip_of(sample_text())}) {
    std::string flipped = encoded;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x10);
    EXPECT_THAT(drain_bytes(flipped).error, testing::StartsWith("broken "));
    EXPECT_THAT(drain_bytes(encoded + "trailing text").error, testing::StartsWith("broken "));
  }
}

TEST(ByteSource, FilesWorkLikeMemory) {
  const TemporaryFolder folder;
  const std::string text = sample_text() + sample_text() + sample_text();  // more than one read of the file
  for (const std::string& encoded : {text, zstd_of(text), gzip_of(text)})
    EXPECT_EQ(drain(*open_file(folder.store("f", encoded))).bytes, text);
  const std::string missing = folder / "missing";
  EXPECT_EQ(error_of([&] { open_file(missing); }), missing + ": cannot open: No such file or directory");
  const auto directory = open_file(folder / "");
  EXPECT_EQ(drain(*directory).error, "cannot read: Is a directory");
}

}  // namespace
}  // namespace iommusim::traces
