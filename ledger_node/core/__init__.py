"""The pure core: rules of the ledger over bytes, sizes and times; no clock, randomness or IO."""
