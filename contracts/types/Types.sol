// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @dev The numbers below are part of events, payloads and calls: add at the end, never reorder.

/// @notice What a key of a city is for. Anchor, Gate and Govern are chain accounts (an address,
/// left-padded by zeros to 32 bytes); Checkpoint, Cosigner and Message are Ed25519 public keys and
/// Encryption is an X25519 public key, all as raw 32 bytes.
enum KeyRole {
    Anchor,
    Gate,
    Govern,
    Checkpoint,
    Cosigner,
    Message,
    Encryption
}

/// @notice The roles for which Membership names exactly one current contract.
enum ContractRole {
    CityLog,
    MaterialStatus,
    Grants,
    Catalogue
}

/// @notice What a proposal does when it is executed; the payload of each is the plain ABI
/// encoding of the values in brackets.
enum ProposalKind {
    AdmitCity, // (uint32 city, string url, bytes32[7] keys)
    SuspendCity, // (uint32 city)
    ReinstateCity, // (uint32 city)
    RegisterContract, // (uint8 role, address contractAddress, uint64 fromBlock)
    DistrustKey, // (uint32 city, uint8 role, bytes32 key, uint64 sinceBlock)
    ReplaceKey, // (uint32 city, uint8 role, bytes32 key)
    CancelChange, // (uint64 changeId)
    CloseGeneration // (uint32 city, uint32 generation, uint64 size, bytes32 root)
}

/// @notice Whose votes an edition of a list takes: two thirds of the parties in good standing for
/// a list of the consortium, every party for a bilateral or directed one.
enum ListRule {
    Consortium,
    Bilateral,
    Directed
}

/// @notice An edition of a list of the service catalogue, as it is put to the vote.
/// @param kind Whose votes it takes.
/// @param code Code of the list in the catalogue, 1 to 64 bytes.
/// @param parties Division codes of the cities concerned, four bytes each, big-endian, ascending;
/// empty in a list of the consortium: every member.
/// @param edition The number after the last published one, from 1 on.
/// @param digest SHA-256 of the list's document.
/// @param effectiveFrom Block time in seconds from which it counts.
struct ListEdition {
    ListRule kind;
    string code;
    bytes parties;
    uint32 edition;
    bytes32 digest;
    uint64 effectiveFrom;
}

/// @notice A city as it enters the consortium.
/// @param city Numeric six-digit division code, such as 510107.
/// @param url Address of the city's node.
/// @param keys One key per KeyRole, in the order of the enumeration.
struct Founder {
    uint32 city;
    string url;
    bytes32[7] keys;
}
