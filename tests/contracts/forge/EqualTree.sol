// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Roots and consistency proofs of trees of equal leaves, straight from RFC 6962 section 2.1
/// @dev A full subtree needs one hash per level, so that big trees are cheap. Shares nothing with
/// the library under test.
library EqualTree {
    bytes32 internal constant LEAF = keccak256("leaf");

    function root(uint64 size) internal pure returns (bytes32) {
        if (size == 1) return LEAF;
        uint64 k = _split(size);
        bytes32 left = LEAF;
        for (uint64 width = 1; width < k; width *= 2) {
            left = node(left, left);
        }
        return node(left, root(size - k));
    }

    function proof(uint64 oldSize, uint64 newSize) internal pure returns (bytes32[] memory) {
        return _subproof(oldSize, newSize, true);
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(1), left, right));
    }

    function _subproof(uint64 m, uint64 n, bool known) private pure returns (bytes32[] memory) {
        if (m == n) {
            return known ? new bytes32[](0) : _append(new bytes32[](0), root(n));
        }
        uint64 k = _split(n);
        if (m <= k) return _append(_subproof(m, k, known), root(n - k));
        return _append(_subproof(m - k, n - k, false), root(k));
    }

    function _append(bytes32[] memory list, bytes32 last)
        private
        pure
        returns (bytes32[] memory longer)
    {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }

    function _split(uint64 n) private pure returns (uint64 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }
}
