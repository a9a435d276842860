// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IGrants} from "./interfaces/IGrants.sol";
import {IMembership} from "./interfaces/IMembership.sol";
import {ContractRole, KeyRole} from "./types/Types.sol";

/// @title Grants, their revocation, and the gate every release passes
/// @dev One slot holds all that `consume` reads and writes of a grant; the evidence stands apart.
contract Grants is IGrants {
    uint8 private constant UNKNOWN = 0;
    uint8 private constant RECORDED = 1;
    uint8 private constant REVOKED = 2;

    uint8 private constant LAST_BASIS = 4;

    uint32 private constant DAILY_CAP = 20;

    struct Grant {
        uint32 releasing;
        uint32 receiving;
        uint32 recorder;
        uint32 usesLeft;
        uint48 notBefore;
        uint48 notAfter;
        uint8 basis;
        uint8 state;
    }

    struct DailyCount {
        uint64 day;
        uint32 count;
    }

    /// @inheritdoc IGrants
    IMembership public immutable membership;
    /// @inheritdoc IGrants
    mapping(bytes32 releaseCommitment => bool) public releaseUsed;

    mapping(bytes32 terms => Grant) private _grants;
    mapping(bytes32 terms => bytes32) private _evidence;
    mapping(uint32 city => DailyCount) private _revocations;

    constructor(IMembership membership_) {
        membership = membership_;
    }

    /// @inheritdoc IGrants
    function record(
        bytes32 terms,
        uint32 releasing,
        uint32 receiving,
        uint64 notBefore,
        uint64 notAfter,
        uint32 uses,
        uint8 basis,
        bytes32 evidence
    ) external {
        uint32 recorder = membership.authorise(msg.sender, KeyRole.Gate, ContractRole.Grants);
        if (terms == bytes32(0) || evidence == bytes32(0)) revert GrantsZeroCommitment();
        if (_grants[terms].state != UNKNOWN) revert GrantsTermsSeen(terms);
        if (releasing == receiving) revert GrantsSameCity(releasing);
        _requireGoodStanding(releasing);
        _requireGoodStanding(receiving);
        if (
            notBefore >= notAfter || notAfter <= block.timestamp || notAfter > type(uint48).max
        ) revert GrantsBadWindow(notBefore, notAfter);
        if (uses == 0) revert GrantsNoUses();
        if (basis == 0 || basis > LAST_BASIS) revert GrantsBadBasis(basis);
        _grants[terms] = Grant({
            releasing: releasing,
            receiving: receiving,
            recorder: recorder,
            usesLeft: uses,
            notBefore: uint48(notBefore),
            notAfter: uint48(notAfter),
            basis: basis,
            state: RECORDED
        });
        _evidence[terms] = evidence;
        emit GrantRecorded(
            terms, releasing, receiving, recorder, notBefore, notAfter, uses, basis, evidence
        );
    }

    /// @inheritdoc IGrants
    function revoke(bytes32 terms) external {
        uint32 city = membership.cityOfAccount(msg.sender, KeyRole.Gate);
        Grant storage grant = _grants[terms];
        if (grant.state == REVOKED) revert GrantsAlreadyRevoked(terms);
        bool party =
            city == grant.recorder || city == grant.releasing || city == grant.receiving;
        if (!party) _countForeignRevocation(city);
        grant.state = REVOKED;
        emit GrantRevoked(terms, city);
    }

    /// @inheritdoc IGrants
    function consume(bytes32 terms, bytes32 releaseCommitment) external {
        uint32 caller = membership.authorise(msg.sender, KeyRole.Gate, ContractRole.Grants);
        Grant memory grant = _grants[terms];
        if (grant.state == REVOKED) revert GrantsRevoked(terms);
        if (grant.state != RECORDED) revert GrantsUnknown(terms);
        if (grant.releasing != caller) revert GrantsNotReleaser(terms, caller);
        _requireGoodStanding(grant.receiving);
        _requireGoodStanding(grant.recorder);
        if (block.timestamp < grant.notBefore) revert GrantsNotYetValid(terms, grant.notBefore);
        if (block.timestamp >= grant.notAfter) revert GrantsExpired(terms, grant.notAfter);
        if (grant.usesLeft == 0) revert GrantsUsedUp(terms);
        if (releaseCommitment == bytes32(0)) revert GrantsZeroCommitment();
        if (releaseUsed[releaseCommitment]) revert GrantsReleaseUsed(releaseCommitment);
        releaseUsed[releaseCommitment] = true;
        uint32 usesLeft = grant.usesLeft - 1;
        _grants[terms].usesLeft = usesLeft;
        emit GrantConsumed(terms, releaseCommitment, usesLeft);
    }

    /// @inheritdoc IGrants
    function grantOf(bytes32 terms)
        external
        view
        returns (
            uint8 state,
            uint32 releasing,
            uint32 receiving,
            uint32 recorder,
            uint64 notBefore,
            uint64 notAfter,
            uint32 usesLeft,
            uint8 basis,
            bytes32 evidence
        )
    {
        Grant memory grant = _grants[terms];
        state = grant.state;
        releasing = grant.releasing;
        receiving = grant.receiving;
        recorder = grant.recorder;
        notBefore = grant.notBefore;
        notAfter = grant.notAfter;
        usesLeft = grant.usesLeft;
        basis = grant.basis;
        evidence = _evidence[terms];
    }

    function _requireGoodStanding(uint32 city) private view {
        if (!membership.inGoodStanding(city)) revert GrantsCityNotInGoodStanding(city);
    }

    /// @dev A day is 86,400 seconds of block time.
    function _countForeignRevocation(uint32 city) private {
        DailyCount storage revocations = _revocations[city];
        uint64 day = uint64(block.timestamp / 1 days);
        uint32 count = revocations.day == day ? revocations.count : 0;
        if (count >= DAILY_CAP) revert GrantsDailyCapReached(city, DAILY_CAP);
        _revocations[city] = DailyCount(day, count + 1);
    }
}
