// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IMembership} from "./IMembership.sol";

/// @title Grants, their revocation, and the gate every release passes
/// @notice A grant is named by its terms commitment. A terms commitment once seen here, recorded
/// or revoked, is refused for ever.
interface IGrants {
    /// @notice A member recorded a grant.
    /// @param terms Terms commitment, the grant's id.
    /// @param releasing City that may release.
    /// @param receiving City that may receive.
    /// @param recorder City that recorded it.
    /// @param notBefore Block time in seconds from which it counts.
    /// @param notAfter Block time in seconds from which it no longer counts.
    /// @param uses Number of releases.
    /// @param basis 1 passkey, 2 counter, 3 assertion, 4 statutory duty.
    /// @param evidence Salted commitment of the evidence.
    event GrantRecorded(
        bytes32 indexed terms,
        uint32 indexed releasing,
        uint32 indexed receiving,
        uint32 recorder,
        uint64 notBefore,
        uint64 notAfter,
        uint32 uses,
        uint8 basis,
        bytes32 evidence
    );

    /// @notice A member ended a grant, or burnt a terms commitment before it was recorded.
    /// @param terms Terms commitment.
    /// @param city City that revoked it.
    event GrantRevoked(bytes32 indexed terms, uint32 indexed city);

    /// @notice The releasing city used a grant for exactly one release.
    /// @param terms Terms commitment.
    /// @param releaseCommitment Salted commitment of the request and its finished answer.
    /// @param usesLeft Number of releases left.
    event GrantConsumed(
        bytes32 indexed terms, bytes32 indexed releaseCommitment, uint32 usesLeft
    );

    /// @notice A terms, evidence or release commitment is zero.
    error GrantsZeroCommitment();
    /// @notice The terms commitment was recorded or revoked before.
    error GrantsTermsSeen(bytes32 terms);
    /// @notice Releasing and receiving city are the same.
    error GrantsSameCity(uint32 city);
    /// @notice The window is empty, over already, or beyond what can be held.
    error GrantsBadWindow(uint64 notBefore, uint64 notAfter);
    /// @notice A grant has at least one use.
    error GrantsNoUses();
    /// @notice Not one of the bases 1 to 4.
    error GrantsBadBasis(uint8 basis);
    /// @notice A city named in the grant is not a member in good standing.
    error GrantsCityNotInGoodStanding(uint32 city);
    /// @notice No such grant was recorded.
    error GrantsUnknown(bytes32 terms);
    /// @notice The grant was revoked.
    error GrantsRevoked(bytes32 terms);
    /// @notice The grant's window has not begun.
    error GrantsNotYetValid(bytes32 terms, uint64 notBefore);
    /// @notice The grant's window is over.
    error GrantsExpired(bytes32 terms, uint64 notAfter);
    /// @notice All releases of the grant are used.
    error GrantsUsedUp(bytes32 terms);
    /// @notice The caller is not the grant's releasing city.
    error GrantsNotReleaser(bytes32 terms, uint32 caller);
    /// @notice The release commitment was used before.
    error GrantsReleaseUsed(bytes32 releaseCommitment);
    /// @notice The grant was revoked before.
    error GrantsAlreadyRevoked(bytes32 terms);
    /// @notice The member revoked as many foreign or unknown grants today as it may.
    error GrantsDailyCapReached(uint32 city, uint32 cap);

    /// @notice Records a grant.
    /// @dev Caller: the gate account of any member in good standing; only while this contract is
    /// current. Releasing and receiving city must be in good standing and different.
    /// @param terms Terms commitment, never seen before.
    /// @param releasing City that may release.
    /// @param receiving City that may receive.
    /// @param notBefore Block time in seconds from which it counts.
    /// @param notAfter Block time in seconds from which it no longer counts.
    /// @param uses Number of releases, at least 1.
    /// @param basis 1 passkey, 2 counter, 3 assertion, 4 statutory duty.
    /// @param evidence Salted commitment of the evidence.
    function record(
        bytes32 terms,
        uint32 releasing,
        uint32 receiving,
        uint64 notBefore,
        uint64 notAfter,
        uint32 uses,
        uint8 basis,
        bytes32 evidence
    ) external;

    /// @notice Ends a grant for ever, or burns a terms commitment not recorded yet.
    /// @dev Caller: the gate account of a member, also when suspended; also while this contract is
    /// not current. Recorder, releaser and receiver freely; any other, and for an unknown terms
    /// commitment everyone, up to 20 a day of block time. WARNING: without the cap one member
    /// could end every grant of the others.
    /// @param terms Terms commitment.
    function revoke(bytes32 terms) external;

    /// @notice Uses a grant for exactly one release; without it no release can be relied on.
    /// @dev Caller: the gate account of the grant's releasing city. Reverts when the grant is
    /// unknown, revoked, outside its window, used up or not the caller's, when releaser, receiver
    /// or recorder is not in good standing, when the release commitment was used, or when this
    /// contract is not current.
    /// @param terms Terms commitment.
    /// @param releaseCommitment Salted commitment of the request and its finished answer.
    function consume(bytes32 terms, bytes32 releaseCommitment) external;

    /// @notice A grant as it stands.
    /// @param terms Terms commitment.
    /// @return state 0 unknown, 1 recorded, 2 revoked or burnt.
    /// @return releasing City that may release; zero, as all below, if never recorded.
    /// @return receiving City that may receive.
    /// @return recorder City that recorded it.
    /// @return notBefore Block time in seconds from which it counts.
    /// @return notAfter Block time in seconds from which it no longer counts.
    /// @return usesLeft Number of releases left.
    /// @return basis 1 passkey, 2 counter, 3 assertion, 4 statutory duty.
    /// @return evidence Salted commitment of the evidence.
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
        );

    /// @notice Whether a release commitment was used in a consumption.
    /// @param releaseCommitment Salted commitment of request and answer.
    function releaseUsed(bytes32 releaseCommitment) external view returns (bool);

    /// @notice The Membership this contract answers to.
    function membership() external view returns (IMembership);
}
