# SPDX-License-Identifier: Apache-2.0
"""Mutants: a function that a clause names is changed in one place, and a test that the clause names must fail."""
