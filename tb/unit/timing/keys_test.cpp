// SPDX-License-Identifier: Apache-2.0
#include "timing/keys.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace iommusim::timing {
namespace {

translate::AddressSpaceTag tag_of(std::uint32_t gscid, std::uint32_t pscid, bool second, bool first) {
  translate::AddressSpaceTag tag;
  tag.gscid = base::Gscid(static_cast<std::uint16_t>(gscid));
  tag.pscid = base::Pscid(pscid);
  tag.second_stage = second;
  tag.first_stage = first;
  return tag;
}

/// Packing loses nothing: two keys are equal only if everything that made them is.
RC_GTEST_PROP(PageKeyLaw, TellsAllTagsApart, ()) {
  const auto any = rc::gen::tuple(rc::gen::inRange(0U, 1U << 16), rc::gen::inRange(0U, 1U << 20),
                                  rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>(), rc::gen::inRange(0U, 64U));
  const auto [ga, pa, sa, fa, ka] = *any;
  const auto [gb, pb, sb, fb, kb] = *any;
  const bool same = ga == gb && pa == pb && sa == sb && fa == fb && ka == kb;
  RC_ASSERT((PageKey::make(tag_of(ga, pa, sa, fa), ka, false, 7) ==
             PageKey::make(tag_of(gb, pb, sb, fb), kb, false, 7)) == same);
}

TEST(PageKey, GlobalEntriesIgnoreThePscidOnly) {
  EXPECT_TRUE(PageKey::make(tag_of(1, 2, true, true), 12, true, 7) ==
              PageKey::make(tag_of(1, 3, true, true), 12, true, 7));
  EXPECT_FALSE(PageKey::make(tag_of(1, 2, true, true), 12, true, 7) ==
               PageKey::make(tag_of(2, 2, true, true), 12, true, 7));
  EXPECT_FALSE(PageKey::make(tag_of(1, 0, true, true), 12, true, 7) ==
               PageKey::make(tag_of(1, 0, true, true), 12, false, 7));
}

}  // namespace
}  // namespace iommusim::timing
