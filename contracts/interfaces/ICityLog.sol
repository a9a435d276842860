// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IMembership} from "./IMembership.sol";

/// @title The last anchored tree head of each city
/// @notice A city's log only ever grows within a generation: every anchor carries a consistency
/// proof that this contract verifies (RFC 9162 section 2.1.4.2, SHA-256). All heads are events.
interface ICityLog {
    /// @notice A city anchored a tree head.
    /// @param city Division code.
    /// @param generation Generation of the city's log, from 1 on.
    /// @param size Number of leaves.
    /// @param root Root hash of the tree.
    event CheckpointAnchored(
        uint32 indexed city, uint32 indexed generation, uint64 size, bytes32 root
    );

    /// @notice The members closed a generation of a city's log; the next one begins empty.
    /// @param city Division code.
    /// @param generation The generation that ended.
    /// @param size Number of leaves of its last explained head.
    /// @param root Root hash of its last explained head.
    event GenerationClosed(
        uint32 indexed city, uint32 indexed generation, uint64 size, bytes32 root
    );

    /// @notice The anchor does not start from the head that is held.
    error CityLogWrongOldSize(uint64 heldSize, uint64 oldSize);
    /// @notice The new head is not larger than the held one.
    error CityLogNotGrowing(uint64 heldSize, uint64 newSize);
    /// @notice A generation's first anchor carries no proof.
    error CityLogProofNotEmpty(uint256 length);
    /// @notice Only Membership closes a generation.
    error CityLogNotMembership(address caller);
    /// @notice The city is in another generation.
    error CityLogWrongGeneration(uint32 held, uint32 given);
    /// @notice The head to close at is larger than the held one.
    error CityLogClosesBeyondHead(uint64 heldSize, uint64 size);
    /// @notice The root to close at contradicts what is known for that size.
    error CityLogWrongClosingRoot(uint64 size, bytes32 root);

    /// @notice Anchors a larger tree head of the caller's city.
    /// @dev Caller: the anchor account of a member in good standing; only while this contract is
    /// the current CityLog. `proof` is empty for a generation's first anchor.
    /// @param oldSize Number of leaves of the held head.
    /// @param newSize Number of leaves of the new head.
    /// @param newRoot Root hash of the new head.
    /// @param proof RFC 6962 consistency proof from the held head to the new one.
    function anchor(uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof)
        external;

    /// @notice Closes a city's generation at its last explained head and opens the next.
    /// @dev Caller: Membership, carrying out a vote. WARNING: a closing root below the held size
    /// is the members' word; only the held head itself and the empty tree are checked here.
    /// @param city Division code.
    /// @param generation Generation to close; must be the city's current one.
    /// @param size Number of leaves, at most the held size.
    /// @param root Root hash at that size.
    function closeGeneration(uint32 city, uint32 generation, uint64 size, bytes32 root) external;

    /// @notice The head held for a city now, taken from the predecessor until the first own one.
    /// @param city Division code.
    /// @return generation Current generation, 1 before the first anchor.
    /// @return size Number of leaves, 0 if none is anchored in this generation.
    /// @return root Root hash, zero if none is anchored in this generation.
    /// @return blockNumber Block of the last anchor or closing, 0 if none.
    function head(uint32 city)
        external
        view
        returns (uint32 generation, uint64 size, bytes32 root, uint64 blockNumber);

    /// @notice The head at which a generation was closed.
    /// @param city Division code.
    /// @param generation A closed generation.
    /// @return size Number of leaves.
    /// @return root Root hash, zero if the generation is not closed.
    function closedHead(uint32 city, uint32 generation)
        external
        view
        returns (uint64 size, bytes32 root);

    /// @notice The Membership this contract answers to.
    function membership() external view returns (IMembership);

    /// @notice The CityLog that this one continues, zero for the first.
    function predecessor() external view returns (ICityLog);
}
