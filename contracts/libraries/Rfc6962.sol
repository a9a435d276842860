// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Inclusion and consistency proofs of an RFC 6962 tree with SHA-256
/// @notice Verification as in RFC 9162 sections 2.1.3.2 and 2.1.4.2. Every hash of a proof is
/// used and none may be missing: the proof's length follows from the sizes alone.
library Rfc6962 {
    /// @notice The proof has too few or too many hashes, or the sizes ask for none.
    error Rfc6962MalformedProof();
    /// @notice The proof ends in another root than the one given.
    error Rfc6962RootMismatch();

    /// @notice Root hash of the tree without leaves: SHA-256 of the empty string.
    bytes32 internal constant EMPTY_ROOT =
        0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    /// @notice Reverts unless the leaf is at `leafIndex` of the tree (size, root).
    /// @param leafHash SHA-256(0x00 || entry).
    /// @param leafIndex Place of the leaf, from 0.
    /// @param size Number of leaves.
    /// @param root Root hash, which the caller trusts.
    /// @param proof Sibling hashes, leaf level first.
    function verifyInclusion(
        bytes32 leafHash,
        uint64 leafIndex,
        uint64 size,
        bytes32 root,
        bytes32[] calldata proof
    ) internal view {
        if (leafIndex >= size) revert Rfc6962MalformedProof();
        uint256 fn = leafIndex;
        uint256 sn = size - 1;
        bytes32 computed = leafHash;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (sn == 0) revert Rfc6962MalformedProof();
            if (fn & 1 == 1 || fn == sn) {
                computed = _hashChildren(proof[i], computed);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                computed = _hashChildren(computed, proof[i]);
            }
            fn >>= 1;
            sn >>= 1;
        }
        if (sn != 0) revert Rfc6962MalformedProof();
        if (computed != root) revert Rfc6962RootMismatch();
    }

    /// @notice Reverts unless the tree (newSize, newRoot) begins with the tree (oldSize, oldRoot).
    /// @param oldSize Number of leaves of the old tree, at least 1.
    /// @param newSize Number of leaves of the new tree, larger than the old.
    /// @param oldRoot Root hash of the old tree, which the caller trusts.
    /// @param newRoot Root hash of the new tree.
    /// @param proof Consistency proof; for an old size that is a power of two the old root itself
    /// is the seed and not part of the proof.
    function verifyConsistency(
        uint64 oldSize,
        uint64 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) internal view {
        if (oldSize == 0 || oldSize >= newSize || proof.length == 0) {
            revert Rfc6962MalformedProof();
        }
        uint256 fn = oldSize - 1;
        uint256 sn = newSize - 1;
        while (fn & 1 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        // fn is 0 here exactly when the old size is a power of two: then the old root is the seed
        bytes32 oldComputed;
        bytes32 newComputed;
        if (fn == 0) {
            (oldComputed, newComputed) = _climb(fn, sn, oldRoot, proof);
        } else {
            (oldComputed, newComputed) = _climb(fn, sn, proof[0], proof[1:]);
        }
        if (oldComputed != oldRoot || newComputed != newRoot) revert Rfc6962RootMismatch();
    }

    /// @dev Steps 5 and 6 of RFC 9162 section 2.1.4.2, both roots in one pass: `fr` takes the left
    /// siblings only, `sr` all. In assembly because every anchor pays for it. The sizes alone say
    /// how many siblings are read (64 at most); that they are exactly those given is checked after.
    function _climb(uint256 fn, uint256 sn, bytes32 seed, bytes32[] calldata siblings)
        private
        view
        returns (bytes32 fr, bytes32 sr)
    {
        bool exact;
        // Memory-safe: the two inputs of 65 bytes (prefix, left, right) stand above the free memory
        // pointer and are not kept; other outputs go to scratch space. Call data read past
        // `siblings` can be anything, and is refused with `exact`, as is a failure of the
        // precompile, which can only be out of gas.
        assembly ("memory-safe") {
            sr := seed
            let input := mload(0x40)
            let oldInput := add(input, 0x60)
            mstore8(input, 0x01)
            mstore8(oldInput, 0x01)
            mstore(add(oldInput, 0x21), seed) // fr is only ever a right child
            exact := 1
            let cursor := siblings.offset
            for {} sn {} {
                switch or(and(fn, 1), eq(fn, sn))
                case 0 {
                    mstore(add(input, 0x01), sr)
                    mstore(add(input, 0x21), calldataload(cursor))
                }
                default {
                    mstore(add(input, 0x01), calldataload(cursor))
                    mstore(add(input, 0x21), sr)
                    mstore(add(oldInput, 0x01), calldataload(cursor))
                    let at := add(oldInput, 0x21)
                    exact := and(exact, staticcall(gas(), 0x02, oldInput, 0x41, at, 0x20))
                    for {} iszero(or(and(fn, 1), iszero(fn))) {} {
                        fn := shr(1, fn)
                        sn := shr(1, sn)
                    }
                }
                exact := and(exact, staticcall(gas(), 0x02, input, 0x41, 0x00, 0x20))
                sr := mload(0x00)
                fn := shr(1, fn)
                sn := shr(1, sn)
                cursor := add(cursor, 0x20)
            }
            fr := mload(add(oldInput, 0x21))
            exact := and(exact, eq(cursor, add(siblings.offset, shl(5, siblings.length))))
        }
        if (!exact) revert Rfc6962MalformedProof();
    }

    /// @dev SHA-256(0x01 || left || right) by the precompile at address 2.
    function _hashChildren(bytes32 left, bytes32 right) private view returns (bytes32 result) {
        // Memory-safe: the 65 input bytes stand above the free memory pointer and are not kept;
        // the output goes to scratch space. The precompile fails only out of gas; then its output
        // would be whatever stood in scratch space, so a failed call reverts.
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore8(input, 0x01)
            mstore(add(input, 0x01), left)
            mstore(add(input, 0x21), right)
            if iszero(staticcall(gas(), 0x02, input, 0x41, 0x00, 0x20)) { revert(0x00, 0x00) }
            result := mload(0x00)
        }
    }
}
