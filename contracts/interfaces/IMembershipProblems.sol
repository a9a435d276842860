// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ContractRole, KeyRole} from "../types/Types.sol";

/// @title What Membership refuses, one error each
interface IMembershipProblems {
    /// @notice Deployed without founders.
    error MembershipNoFounders();
    /// @notice The delay and the proposal period must both be longer than zero.
    error MembershipZeroPeriod();
    /// @notice Not a six-digit division code.
    error MembershipBadCity(uint32 city);
    /// @notice A URL has 1 to 200 bytes.
    error MembershipBadUrl(uint256 length_bytes);
    /// @notice Zero, or not an account address where the role is a chain account.
    error MembershipBadKey(KeyRole role, bytes32 key);
    /// @notice The key was announced before, here or elsewhere; a key serves once.
    error MembershipKeyUsed(bytes32 key);
    /// @notice The account is not in force in this role in any city.
    error MembershipNotAuthorised(address account, KeyRole role);
    /// @notice The account is in force but the members distrust it.
    error MembershipKeyDistrusted(bytes32 key, uint64 sinceBlock);
    /// @notice The city was never admitted.
    error MembershipNotMember(uint32 city);
    /// @notice The city was admitted before.
    error MembershipAlreadyMember(uint32 city);
    /// @notice The member is suspended.
    error MembershipNotInGoodStanding(uint32 city);
    /// @notice The member is not suspended.
    error MembershipNotSuspended(uint32 city);
    /// @notice Suspending it would leave no member in good standing.
    error MembershipLastMember(uint32 city);
    /// @notice The contract is not the current one of the role.
    error MembershipNotCurrent(ContractRole role, address contractAddress);
    /// @notice No contract of the role is current yet.
    error MembershipNoContract(ContractRole role);
    /// @notice There is no code at the address.
    error MembershipNotAContract(address contractAddress);
    /// @notice The contract was registered before; an old version never comes back.
    error MembershipContractUsed(address contractAddress);
    /// @notice The contract answers to another Membership.
    error MembershipForeignContract(address contractAddress);
    /// @notice The new CityLog does not continue the current one.
    error MembershipWrongPredecessor(address contractAddress, address predecessor);
    /// @notice Another change of the same kind has not taken effect yet.
    error MembershipChangePending(uint64 changeId);
    /// @notice There is no such change.
    error MembershipUnknownChange(uint64 changeId);
    /// @notice The change took effect or was cancelled.
    error MembershipChangeClosed(uint64 changeId);
    /// @notice The caller's account belongs to another city.
    error MembershipForeignChange(uint64 changeId, uint32 city);
    /// @notice The key is none of this city in this role.
    error MembershipUnknownKey(uint32 city, KeyRole role, bytes32 key);
    /// @notice The key is distrusted since that block or an earlier one already.
    error MembershipAlreadyDistrusted(bytes32 key, uint64 sinceBlock);
    /// @notice Distrust begins at block 1 or later, and not in the future.
    error MembershipBadSinceBlock(uint64 sinceBlock);
    /// @notice The head to close at is not explained by the head that CityLog holds.
    error MembershipBadClosing(uint32 city, uint32 generation, uint64 size);
    /// @notice The payload is not the strict ABI encoding of what the kind needs.
    error MembershipBadPayload();
    /// @notice There is no such proposal.
    error MembershipUnknownProposal(uint64 id);
    /// @notice The proposal's time is over.
    error MembershipProposalExpired(uint64 id);
    /// @notice The proposal took effect before.
    error MembershipProposalExecuted(uint64 id);
    /// @notice The member voted the same before.
    error MembershipAlreadyVoted(uint64 id, uint32 city);
    /// @notice Fewer than two thirds of the members in good standing support the proposal.
    error MembershipQuorumMissing(uint64 id, uint256 yes, uint256 standing);
}
