// SPDX-License-Identifier: Apache-2.0
// What an ATC counts. A *piece* is at most 4 KiB of a DMA and ends exactly once; a look-up has exactly one outcome.
#pragma once

#include "stats/stats.h"

namespace iommusim::devices {

struct AtcStats : stats::Group {
  using stats::Group::Group;
  Counter pieces{*this, "pieces", Unit::kCount, "pieces of DMA that came from the device"};
  Counter answered{*this, "answered", Unit::kCount, "of these, sent to the IOMMU and answered"};
  Counter refused{*this, "refused", Unit::kCount, "of these, ended with an error without being sent"};
  Occupancy inside{*this, "inside", Unit::kPs, "pieces inside, or sent and not answered"};
  Identity ends{*this, "pieces + inside at start = answered + refused + inside",
                [this] { return pieces.value() + inside.data().level_at_start(); },
                [this] { return answered.value() + refused.value() + inside.level(); }};
  Counter translated{*this, "translated", Unit::kCount, "pieces sent as translated requests"};
  Counter untranslated{*this, "untranslated", Unit::kCount, "pieces sent as untranslated requests"};

  Counter lookups{*this, "lookups", Unit::kCount, "probes of the cache, one a piece"};
  Counter hits{*this, "hits", Unit::kCount, "probes that found an entry that permits the access"};
  Counter misses{*this, "misses", Unit::kCount, "probes that found none"};
  Ratio hit_rate{*this, "hit_rate", hits, lookups, "hits / lookups"};
  Counter merged{*this, "merged", Unit::kCount, "misses that joined the translation request of an earlier one"};
  Counter fills{*this, "fills", Unit::kCount, "entries written"};
  Counter evictions{*this, "evictions", Unit::kCount, "valid entries that gave way to a fill"};
  Counter invalidated{*this, "invalidated", Unit::kCount, "entries removed by invalidation requests"};
  Identity probes{*this, "lookups = hits + misses", [this] { return lookups.value(); },
                  [this] { return hits.value() + misses.value(); }};

  Counter translation_requests{*this, "translation_requests", Unit::kCount, "translation requests sent"};
  Counter completions{*this, "completions", Unit::kCount, "translation completions that came"};
  Counter denied{*this, "denied", Unit::kCount, "of these, without the permission asked for"};
  Counter failed{*this, "failed", Unit::kCount, "of these, Unsupported Request or Completer Abort"};
  Counter overtaken{*this, "overtaken", Unit::kCount,
                    "of these, not used: an invalidation of the page came while they were on their way"};
  Counter late{*this, "late", Unit::kCount, "of these, ignored: they came after the time-out"};
  Counter time_outs{*this, "time_outs", Unit::kCount, "translation requests given up"};
  Occupancy requested{*this, "requested", Unit::kPs, "translation requests on their way"};
  Identity completed{*this, "translation requests + on their way at start = completions + on their way",
                     [this] { return translation_requests.value() + requested.data().level_at_start(); },
                     [this] { return completions.value() + requested.level(); }};

  Counter page_requests{*this, "page_requests", Unit::kCount, "Page Request messages sent"};
  Counter groups{*this, "groups", Unit::kCount, "groups of them"};
  Counter responses_success{*this, "responses_success", Unit::kCount, "group responses: try again"};
  Counter responses_invalid{*this, "responses_invalid", Unit::kCount, "group responses: there is no such page"};
  Counter responses_failure{*this, "responses_failure", Unit::kCount, "group responses: page requests are over"};
  Counter responses_unexpected{*this, "responses_unexpected", Unit::kCount, "responses that name no open group"};
  Histogram response_ps{*this, "response_ps", Unit::kPs, "from the first request of a group to its response"};
  Occupancy groups_open{*this, "groups_open", Unit::kPs, "groups that wait for their response"};
  Identity answers{*this, "groups + open at start = responses to open groups + open",
                   [this] { return groups.value() + groups_open.data().level_at_start(); },
                   [this] {
                     return responses_success.value() + responses_invalid.value() + responses_failure.value() +
                            groups_open.level();
                   }};

  Counter invalidations{*this, "invalidations", Unit::kCount, "Invalidation Requests received"};
  Counter invalidations_completed{*this, "invalidations_completed", Unit::kCount, "of these, completed"};
  Counter invalidations_ignored{*this, "invalidations_ignored", Unit::kCount, "of these, never to be completed"};
  Counter drained{*this, "drained", Unit::kCount, "pieces with a removed translation that a completion waited for"};
  Histogram invalidation_ps{*this, "invalidation_ps", Unit::kPs, "from an Invalidation Request to its completion"};
  Occupancy invalidating{*this, "invalidating", Unit::kPs, "Invalidation Requests inside"};
  Identity served{
      *this, "invalidations + inside at start = completed + ignored + inside",
      [this] { return invalidations.value() + invalidating.data().level_at_start(); },
      [this] { return invalidations_completed.value() + invalidations_ignored.value() + invalidating.level(); }};
};

}  // namespace iommusim::devices
