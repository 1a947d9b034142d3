# SPDX-License-Identifier: Apache-2.0
# find_package(DurableMCP CONFIG) and pkg-config: filled by the packaging commit.
