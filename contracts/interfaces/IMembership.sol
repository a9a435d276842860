// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ContractRole, KeyRole, ProposalKind} from "../types/Types.sol";
import {IMembershipProblems} from "./IMembershipProblems.sol";

/// @title Members of the consortium, their keys, their votes, and the contracts they agreed on
/// @notice Who is a member and which contracts hold changes only by vote of the members; a city's
/// own keys and URL change by its own announcement and after a delay. There is no owner, and this
/// contract is never replaced.
interface IMembership is IMembershipProblems {
    /// @notice A city became a member in good standing.
    /// @param city Division code.
    /// @param url Address of the city's node.
    event MemberAdmitted(uint32 indexed city, string url);

    /// @notice A member lost its good standing by vote.
    /// @param city Division code.
    event MemberSuspended(uint32 indexed city);

    /// @notice A suspended member is in good standing again by vote.
    /// @param city Division code.
    event MemberReinstated(uint32 indexed city);

    /// @notice A key was announced and counts from `validFrom` on, ending the one before it.
    /// @param city Division code.
    /// @param role A KeyRole.
    /// @param key Account left-padded to 32 bytes, or raw public key.
    /// @param validFrom Block time in seconds.
    /// @param changeId Number by which the change can be cancelled; 0 when it took effect at once
    /// (admission, or replacement by vote).
    event KeyAnnounced(
        uint32 indexed city, uint8 indexed role, bytes32 key, uint64 validFrom, uint64 changeId
    );

    /// @notice A URL was announced and counts from `validFrom` on.
    /// @param city Division code.
    /// @param url New address of the city's node.
    /// @param validFrom Block time in seconds.
    /// @param changeId Number by which the change can be cancelled.
    event UrlAnnounced(uint32 indexed city, string url, uint64 validFrom, uint64 changeId);

    /// @notice An announced key or URL was taken back before it took effect.
    /// @param changeId Number given when it was announced.
    /// @param city Division code.
    event ChangeCancelled(uint64 indexed changeId, uint32 indexed city);

    /// @notice The members no longer trust what a key signed or sent from a block on.
    /// @param city Division code.
    /// @param role A KeyRole.
    /// @param key The key.
    /// @param sinceBlock First block number from which it is not trusted.
    event KeyDistrusted(uint32 indexed city, uint8 indexed role, bytes32 key, uint64 sinceBlock);

    /// @notice A member put a proposal to the vote.
    /// @param id Proposal number, from 1 on.
    /// @param city Proposing member.
    /// @param kind A ProposalKind.
    /// @param payload ABI encoding of what the kind needs.
    /// @param paper SHA-256 of the paper that explains the proposal, or zero.
    /// @param expiresAt Block time in seconds; neither votes nor execution from then on.
    event ProposalCreated(
        uint64 indexed id,
        uint32 indexed city,
        uint8 kind,
        bytes payload,
        bytes32 paper,
        uint64 expiresAt
    );

    /// @notice A member voted; its later vote replaces an earlier one.
    /// @param id Proposal number.
    /// @param city Voting member.
    /// @param support True for yes.
    event VoteCast(uint64 indexed id, uint32 indexed city, bool support);

    /// @notice A proposal had its two thirds and took effect.
    /// @param id Proposal number.
    event ProposalExecuted(uint64 indexed id);

    /// @notice A contract is the current one of its role from a block on. It drops a registration
    /// of the same role whose block had not come yet.
    /// @param role A ContractRole.
    /// @param contractAddress The contract.
    /// @param fromBlock First block number in which it is current: what was proposed, but never
    /// before the next block if it replaces another, and never before this one.
    event ContractRegistered(
        uint8 indexed role, address indexed contractAddress, uint64 fromBlock
    );

    /// @notice Announces a key of the caller's city, to take effect after the delay.
    /// @dev Caller: the city's govern account, also of a suspended member. One change per role can
    /// be pending. A key serves one city and role for ever, cancelled ones included.
    /// @param role Role of the key.
    /// @param key The key.
    /// @return changeId Number by which it can be cancelled.
    function announceKey(KeyRole role, bytes32 key) external returns (uint64 changeId);

    /// @notice Announces the URL of the caller's city, to take effect after the delay.
    /// @dev Caller: the city's govern account, also of a suspended member.
    /// @param url New address of the city's node, 1 to 200 bytes.
    /// @return changeId Number by which it can be cancelled.
    function announceUrl(string calldata url) external returns (uint64 changeId);

    /// @notice Takes back a change that has not taken effect yet.
    /// @dev Caller: any chain account in force of the city concerned, also of a suspended member.
    /// @param changeId Number given when it was announced.
    function cancelChange(uint64 changeId) external;

    /// @notice Puts a proposal to the vote. Proposing is not voting.
    /// @dev Caller: the govern account of a member in good standing. What the payload asks must be
    /// possible now; it is checked again at execution.
    /// @param kind What it does.
    /// @param payload Strict ABI encoding of what the kind needs (see ProposalKind).
    /// @param paper SHA-256 of the paper that explains it, or zero.
    /// @return id Proposal number.
    function propose(ProposalKind kind, bytes calldata payload, bytes32 paper)
        external
        returns (uint64 id);

    /// @notice Votes; a different later vote replaces the earlier one, so that a city whose
    /// account was stolen can take its vote back.
    /// @dev Caller: the govern account of a member in good standing.
    /// @param id Proposal number.
    /// @param support True for yes.
    function vote(uint64 id, bool support) external;

    /// @notice Carries out a proposal that at least two thirds of the members in good standing
    /// support now; votes of suspended members do not count.
    /// @dev Caller: the govern account of a member in good standing.
    /// @param id Proposal number.
    function execute(uint64 id) external;

    /// @notice Checks what a proposal would be refused for; used by `propose` and `execute`.
    /// @param kind What it does.
    /// @param payload Its payload.
    function checkProposal(ProposalKind kind, bytes calldata payload) external view;

    /// @notice The one question other contracts ask before they let a member in good standing act.
    /// @dev Reverts unless `account` is in force and trusted in `role`, its city is in good
    /// standing, and the calling contract is the current one of `contractRole`.
    /// @param account Account that called the asking contract.
    /// @param role Role it must hold.
    /// @param contractRole Role the asking contract must hold.
    /// @return city The account's city.
    function authorise(address account, KeyRole role, ContractRole contractRole)
        external
        view
        returns (uint32 city);

    /// @notice City of an account in force and trusted in a role, suspended members included.
    /// @param account Chain account.
    /// @param role Role it must hold.
    /// @return city The account's city.
    function cityOfAccount(address account, KeyRole role) external view returns (uint32 city);

    /// @notice The key in force at a time, as known now.
    /// @param city Division code.
    /// @param role Role of the key.
    /// @param timestamp_s Block time in seconds.
    /// @return key The key, zero if there was none.
    /// @return validFrom Block time in seconds from which it counts.
    /// @return distrustedSinceBlock Block number from which it is not trusted, zero if it is.
    function keyAt(uint32 city, KeyRole role, uint64 timestamp_s)
        external
        view
        returns (bytes32 key, uint64 validFrom, uint64 distrustedSinceBlock);

    /// @notice The key in force now; as `keyAt` at the time of this block.
    function currentKey(uint32 city, KeyRole role)
        external
        view
        returns (bytes32 key, uint64 validFrom, uint64 distrustedSinceBlock);

    /// @notice The URL in force now.
    /// @param city Division code.
    function urlOf(uint32 city) external view returns (string memory);

    /// @notice All members in the order of admission, suspended ones included.
    function members() external view returns (uint32[] memory);

    /// @notice Whether the city was ever admitted.
    /// @param city Division code.
    function isMember(uint32 city) external view returns (bool);

    /// @notice Whether the city is a member and not suspended.
    /// @param city Division code.
    function inGoodStanding(uint32 city) external view returns (bool);

    /// @notice The current contract of a role in this block, zero if there is none.
    /// @param role Role of the contract.
    function currentContract(ContractRole role) external view returns (address);

    /// @notice Whether a contract is the current one of a role in this block.
    /// @param role Role of the contract.
    /// @param contractAddress The contract.
    function isCurrent(ContractRole role, address contractAddress) external view returns (bool);

    /// @notice A proposal and its count among members in good standing now.
    /// @param id Proposal number.
    /// @return kind What it does.
    /// @return payload Its payload.
    /// @return expiresAt Block time in seconds.
    /// @return executed Whether it took effect.
    /// @return yes Members in good standing that support it.
    /// @return standing Members in good standing.
    function proposalOf(uint64 id)
        external
        view
        returns (
            ProposalKind kind,
            bytes memory payload,
            uint64 expiresAt,
            bool executed,
            uint256 yes,
            uint256 standing
        );

    /// @notice Seconds between the announcement of a key or URL and its taking effect.
    function keyChangeDelay_s() external view returns (uint64);

    /// @notice Seconds a proposal can be voted on and executed.
    function proposalPeriod_s() external view returns (uint64);
}
