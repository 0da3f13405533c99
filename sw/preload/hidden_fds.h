// SPDX-License-Identifier: Apache-2.0
// Descriptors of the library's own. A program that closes what it does not know (close_range, a loop to 1024) must not
// hit them: they have high numbers, are close-on-exec, and the interposed functions step around them.
#pragma once

namespace iommusim::preload {

/// Takes `fd` over: gives the number under which it lives from now on, or a negative errno (`fd` is closed then). A
/// negative `fd` is passed through.
int hide_fd(int fd);
bool is_hidden_fd(int fd);
/// Lowest hidden number in [first, last]; -1: none.
int next_hidden_fd(unsigned first, unsigned last);
void close_hidden_fd(int fd);

}  // namespace iommusim::preload
