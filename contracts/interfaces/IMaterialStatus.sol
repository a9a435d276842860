// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IMembership} from "./IMembership.sol";

/// @title What became of a material after it was anchored, and objections against it
/// @notice Status flags are only ever added. A material is named by issuing city and leaf hash.
interface IMaterialStatus {
    /// @notice An issuing city added a status flag to one of its materials.
    /// @param city Issuing city.
    /// @param leafHash RFC 6962 leaf hash of the material's log entry.
    /// @param status The flag added: 1 withdrawn, 2 superseded, 4 spent, 8 erased.
    /// @param successor Salted commitment of the succeeding material; zero unless superseded.
    event StatusSet(
        uint32 indexed city, bytes32 indexed leafHash, uint8 status, bytes32 successor
    );

    /// @notice A member objected to a material.
    /// @param id Objection number, from 1 on.
    /// @param city Issuing city.
    /// @param leafHash RFC 6962 leaf hash of the material's log entry.
    /// @param raiser Objecting member.
    /// @param reason Salted commitment of the reason.
    event ObjectionRaised(
        uint64 indexed id,
        uint32 indexed city,
        bytes32 indexed leafHash,
        uint32 raiser,
        bytes32 reason
    );

    /// @notice The issuing city closed an objection.
    /// @param id Objection number.
    /// @param outcome 1 upheld, 2 rejected, 3 corrected.
    event ObjectionClosed(uint64 indexed id, uint8 outcome);

    /// @notice The raiser took its objection back.
    /// @param id Objection number.
    event ObjectionWithdrawn(uint64 indexed id);

    /// @notice Not exactly one of the flags 1, 2, 4, 8.
    error MaterialStatusBadStatus(uint8 status);
    /// @notice The flag is set already; flags are never taken back or set twice.
    error MaterialStatusAlreadySet(uint32 city, bytes32 leafHash, uint8 status);
    /// @notice A successor belongs to *superseded*, and only to it.
    error MaterialStatusBadSuccessor(uint8 status, bytes32 successor);
    /// @notice A leaf hash or reason is zero.
    error MaterialStatusZeroHash();
    /// @notice This contract is not the current one of its role.
    error MaterialStatusNotCurrent();
    /// @notice The calling city is suspended.
    error MaterialStatusNotInGoodStanding(uint32 city);
    /// @notice The city has no anchored head in its current generation.
    error MaterialStatusNoHead(uint32 city);
    /// @notice The member has as many open objections as one may have.
    error MaterialStatusTooManyOpen(uint32 raiser, uint32 open);
    /// @notice There is no such objection.
    error MaterialStatusUnknownObjection(uint64 id);
    /// @notice The objection was closed or withdrawn before.
    error MaterialStatusObjectionClosed(uint64 id);
    /// @notice Only the issuing city closes an objection.
    error MaterialStatusNotIssuer(uint64 id, uint32 caller);
    /// @notice Only the raiser withdraws an objection.
    error MaterialStatusNotRaiser(uint64 id, uint32 caller);
    /// @notice Not one of the outcomes 1, 2, 3.
    error MaterialStatusBadOutcome(uint8 outcome);

    /// @notice Adds a status flag to a material of the caller's city.
    /// @dev Caller: the gate account of the issuing city, in good standing; *withdrawn* and
    /// *erased* also of a suspended member. Only while this contract is current.
    /// @param leafHash RFC 6962 leaf hash of the material's log entry.
    /// @param status Exactly one of 1 withdrawn, 2 superseded, 4 spent, 8 erased.
    /// @param successor Salted commitment of the succeeding material; zero unless superseded.
    function setStatus(bytes32 leafHash, uint8 status, bytes32 successor) external;

    /// @notice Objects to a material whose leaf is proven in the head CityLog holds for its city.
    /// @dev Caller: the gate account of any member in good standing, with fewer than 100 open.
    /// Only while this contract is current.
    /// @param city Issuing city.
    /// @param leafHash RFC 6962 leaf hash of the material's log entry.
    /// @param leafIndex Place of the leaf in the log, from 0.
    /// @param proof RFC 6962 inclusion proof to the held head.
    /// @param reason Salted commitment of the reason.
    /// @return id Objection number.
    function raiseObjection(
        uint32 city,
        bytes32 leafHash,
        uint64 leafIndex,
        bytes32[] calldata proof,
        bytes32 reason
    ) external returns (uint64 id);

    /// @notice Closes an objection with its outcome.
    /// @dev Caller: the gate account of the issuing city, in good standing; in every version.
    /// @param id Objection number.
    /// @param outcome 1 upheld, 2 rejected, 3 corrected.
    function closeObjection(uint64 id, uint8 outcome) external;

    /// @notice Takes an objection back.
    /// @dev Caller: the gate account of the raiser, also when suspended; in every version.
    /// @param id Objection number.
    function withdrawObjection(uint64 id) external;

    /// @notice The flags set for a material.
    /// @param city Issuing city.
    /// @param leafHash RFC 6962 leaf hash of the material's log entry.
    /// @return flags Sum of the flags 1 withdrawn, 2 superseded, 4 spent, 8 erased.
    /// @return successor Salted commitment of the succeeding material, zero if not superseded.
    function statusOf(uint32 city, bytes32 leafHash)
        external
        view
        returns (uint8 flags, bytes32 successor);

    /// @notice An objection.
    /// @param id Objection number.
    /// @return city Issuing city, zero if there is no such objection.
    /// @return raiser Objecting member.
    /// @return state 0 open, 1 upheld, 2 rejected, 3 corrected, 4 withdrawn.
    /// @return leafHash RFC 6962 leaf hash of the material's log entry.
    function objectionOf(uint64 id)
        external
        view
        returns (uint32 city, uint32 raiser, uint8 state, bytes32 leafHash);

    /// @notice How many objections of a member are open.
    /// @param raiser Objecting member.
    function openObjections(uint32 raiser) external view returns (uint32);

    /// @notice The Membership this contract answers to.
    function membership() external view returns (IMembership);
}
