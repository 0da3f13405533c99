# SPDX-License-Identifier: Apache-2.0
"""The clauses of the specification and where this repository implements and exercises them; see docs/clauses/README.md."""
