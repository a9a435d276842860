// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ICityLog} from "./interfaces/ICityLog.sol";
import {IMembership} from "./interfaces/IMembership.sol";
import {Rfc6962} from "./libraries/Rfc6962.sol";
import {ContractRole, KeyRole} from "./types/Types.sol";

/// @title The last anchored tree head of each city
/// @dev Two slots per city, both written by every anchor: root; size, generation and block.
contract CityLog is ICityLog {
    struct Head {
        bytes32 root;
        uint64 size;
        uint32 generation; // 0: nothing written here yet, the predecessor's head counts
        uint64 blockNumber;
    }

    struct ClosedHead {
        bytes32 root;
        uint64 size;
    }

    /// @inheritdoc ICityLog
    IMembership public immutable membership;
    /// @inheritdoc ICityLog
    ICityLog public immutable predecessor;

    mapping(uint32 city => Head) private _heads;
    mapping(uint32 city => mapping(uint32 generation => ClosedHead)) private _closed;

    constructor(IMembership membership_, ICityLog predecessor_) {
        membership = membership_;
        predecessor = predecessor_;
    }

    /// @inheritdoc ICityLog
    function anchor(uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof)
        external
    {
        uint32 city = membership.authorise(msg.sender, KeyRole.Anchor, ContractRole.CityLog);
        (uint32 generation, uint64 heldSize, bytes32 heldRoot,) = _headOf(city);
        if (oldSize != heldSize) revert CityLogWrongOldSize(heldSize, oldSize);
        if (newSize <= heldSize) revert CityLogNotGrowing(heldSize, newSize);
        if (heldSize == 0) {
            if (proof.length != 0) revert CityLogProofNotEmpty(proof.length);
        } else {
            Rfc6962.verifyConsistency(heldSize, newSize, heldRoot, newRoot, proof);
        }
        _hold(city, generation, newSize, newRoot);
        emit CheckpointAnchored(city, generation, newSize, newRoot);
    }

    /// @inheritdoc ICityLog
    function closeGeneration(uint32 city, uint32 generation, uint64 size, bytes32 root) external {
        if (msg.sender != address(membership)) revert CityLogNotMembership(msg.sender);
        (uint32 held, uint64 heldSize, bytes32 heldRoot,) = _headOf(city);
        if (generation != held) revert CityLogWrongGeneration(held, generation);
        if (size > heldSize) revert CityLogClosesBeyondHead(heldSize, size);
        if (size == 0) {
            if (root != Rfc6962.EMPTY_ROOT) revert CityLogWrongClosingRoot(size, root);
        } else if (root == bytes32(0) || (size == heldSize && root != heldRoot)) {
            revert CityLogWrongClosingRoot(size, root);
        }
        _closed[city][generation] = ClosedHead(root, size);
        _hold(city, generation + 1, 0, bytes32(0));
        emit GenerationClosed(city, generation, size, root);
    }

    /// @inheritdoc ICityLog
    function head(uint32 city)
        external
        view
        returns (uint32 generation, uint64 size, bytes32 root, uint64 blockNumber)
    {
        return _headOf(city);
    }

    /// @inheritdoc ICityLog
    function closedHead(uint32 city, uint32 generation)
        external
        view
        returns (uint64 size, bytes32 root)
    {
        ClosedHead storage closed = _closed[city][generation];
        if (closed.root == bytes32(0) && address(predecessor) != address(0)) {
            return predecessor.closedHead(city, generation);
        }
        return (closed.size, closed.root);
    }

    function _hold(uint32 city, uint32 generation, uint64 size, bytes32 root) private {
        Head storage held = _heads[city];
        held.root = root;
        held.size = size;
        held.generation = generation;
        held.blockNumber = uint64(block.number);
    }

    /// @dev The predecessor cannot change once this contract is current, so what is read from it
    /// in the first anchor is its last word.
    function _headOf(uint32 city)
        private
        view
        returns (uint32 generation, uint64 size, bytes32 root, uint64 blockNumber)
    {
        Head storage held = _heads[city];
        generation = held.generation;
        if (generation != 0) return (generation, held.size, held.root, held.blockNumber);
        if (address(predecessor) != address(0)) return predecessor.head(city);
        return (1, 0, bytes32(0), 0);
    }
}
