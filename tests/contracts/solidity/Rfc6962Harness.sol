// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Rfc6962} from "../../../contracts/libraries/Rfc6962.sol";

/// @title Many proofs checked in one call
/// @dev A verdict is one byte: 0 accepted, 1 malformed proof, 2 root mismatch, 255 anything else.
contract Rfc6962Harness {
    struct Inclusion {
        bytes32 leafHash;
        uint64 leafIndex;
        uint64 size;
        bytes32 root;
        bytes32[] proof;
    }

    struct Consistency {
        uint64 oldSize;
        uint64 newSize;
        bytes32 oldRoot;
        bytes32 newRoot;
        bytes32[] proof;
    }

    function judgeInclusions(Inclusion[] calldata cases) external view returns (bytes memory verdicts) {
        verdicts = new bytes(cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            try this.verifyInclusion(cases[i]) {}
            catch (bytes memory reason) {
                verdicts[i] = _verdict(reason);
            }
        }
    }

    function judgeConsistencies(Consistency[] calldata cases) external view returns (bytes memory verdicts) {
        verdicts = new bytes(cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            try this.verifyConsistency(cases[i]) {}
            catch (bytes memory reason) {
                verdicts[i] = _verdict(reason);
            }
        }
    }

    function verifyInclusion(Inclusion calldata given) external view {
        Rfc6962.verifyInclusion(given.leafHash, given.leafIndex, given.size, given.root, given.proof);
    }

    function verifyConsistency(Consistency calldata given) external view {
        Rfc6962.verifyConsistency(
            given.oldSize, given.newSize, given.oldRoot, given.newRoot, given.proof
        );
    }

    function _verdict(bytes memory reason) private pure returns (bytes1) {
        bytes4 selector = bytes4(reason);
        if (selector == Rfc6962.Rfc6962MalformedProof.selector) return 0x01;
        if (selector == Rfc6962.Rfc6962RootMismatch.selector) return 0x02;
        return 0xff;
    }
}
