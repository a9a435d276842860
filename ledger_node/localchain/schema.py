"""SQLite schema of the store. Written out in docs/spec/localchain.md."""

from __future__ import annotations

FORMAT_VERSION = 1
APPLICATION_ID = 0x54424C43  # "TBLC"

SCHEMA = """
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE node (
    key   BLOB PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE block (
    number      INTEGER PRIMARY KEY,
    hash        BLOB NOT NULL UNIQUE,
    timestamp_s INTEGER NOT NULL
);
CREATE TABLE log (
    block_number INTEGER NOT NULL,
    log_index    INTEGER NOT NULL,
    tx_index     INTEGER NOT NULL,
    tx_hash      BLOB NOT NULL,
    address      BLOB NOT NULL,
    topic0       BLOB,
    topic1       BLOB,
    topic2       BLOB,
    topic3       BLOB,
    data         BLOB NOT NULL,
    PRIMARY KEY (block_number, log_index)
) WITHOUT ROWID;
CREATE INDEX log_address ON log (address, topic0, block_number);
CREATE INDEX log_topic0 ON log (topic0, block_number) WHERE topic0 IS NOT NULL;
CREATE INDEX log_topic1 ON log (topic1, block_number) WHERE topic1 IS NOT NULL;
CREATE INDEX log_topic2 ON log (topic2, block_number) WHERE topic2 IS NOT NULL;
CREATE INDEX log_topic3 ON log (topic3, block_number) WHERE topic3 IS NOT NULL;
CREATE TABLE pending (
    arrival INTEGER PRIMARY KEY,
    tx_hash BLOB NOT NULL UNIQUE,
    raw     BLOB NOT NULL
);
"""
