// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {KeyRole} from "../../../contracts/types/Types.sol";
import {FuzzSelector, World} from "./World.sol";

/// @title Cities that record, revoke and consume at random, with a model that says who may
contract GrantsHandler is World {
    struct Model {
        uint8 state; // 0 unknown, 1 recorded, 2 revoked
        uint32 releasing;
        uint32 receiving;
        uint32 recorder;
        uint64 notBefore;
        uint64 notAfter;
        uint32 usesLeft;
    }

    uint256 public constant TERMS = 16;
    uint256 private constant RELEASES = 12;

    mapping(bytes32 terms => Model) public models;
    mapping(bytes32 terms => uint256) public consumptions;
    mapping(bytes32 terms => uint256) public granted;
    mapping(bytes32 releaseCommitment => bool) private _released;
    mapping(uint32 city => mapping(uint256 day => uint256)) private _foreign;
    uint256 public recorded;
    uint256 public revoked;
    uint256 public consumed;
    uint256 public refused;

    function termsAt(uint256 index) public pure returns (bytes32) {
        return keccak256(abi.encode("terms", index % TERMS));
    }

    function record(uint256 which, uint256 who, uint256 from, uint256 to, uint32 start, uint32 length)
        external counted
    {
        Model memory wanted = Model({
            state: 1,
            releasing: cityAt(from),
            receiving: cityAt(to % 8 == 7 ? from % CITIES : from % CITIES + 1 + to % 3),
            recorder: cityAt(who),
            notBefore: uint64(block.timestamp) + start % 2_000,
            notAfter: uint64(block.timestamp) + start % 2_000
                + (start % 8 == 7 ? 0 : 1 + length % 20_000),
            usesLeft: 1 + length % 3
        });
        _record(termsAt(which), wanted);
    }

    function _record(bytes32 terms, Model memory wanted) private {
        bool allowed = models[terms].state == 0 && wanted.releasing != wanted.receiving
            && wanted.notBefore < wanted.notAfter && _standing(wanted);
        vm.prank(accountOf(wanted.recorder, KeyRole.Gate));
        try grants.record(
            terms,
            wanted.releasing,
            wanted.receiving,
            wanted.notBefore,
            wanted.notAfter,
            wanted.usesLeft,
            2,
            "evidence"
        ) {
            require(allowed, "recorded what may not be");
            models[terms] = wanted;
            granted[terms] = wanted.usesLeft;
            ++recorded;
        } catch {
            require(!allowed, "refused a good grant");
            ++refused;
        }
    }

    function revoke(uint256 which, uint256 who) external counted {
        bytes32 terms = termsAt(which);
        Model storage model = models[terms];
        uint32 city = cityAt(who);
        bool party =
            city == model.recorder || city == model.releasing || city == model.receiving;
        uint256 today = block.timestamp / 1 days;
        bool allowed = model.state != 2 && (party || _foreign[city][today] < 20);
        // most calls ask a party, so that grants live long enough to be used
        if (who % 3 != 0) return;
        vm.prank(accountOf(city, KeyRole.Gate));
        try grants.revoke(terms) {
            require(allowed, "revoked what may not be");
            if (!party) ++_foreign[city][today];
            model.state = 2;
            ++revoked;
        } catch {
            require(!allowed, "refused a good revocation");
            ++refused;
        }
    }

    function consume(uint256 which, uint256 who, uint256 release) external counted {
        _consume(termsAt(which), cityAt(who), release);
    }

    /// @dev The releaser itself, so that many calls are good.
    function consumeByReleaser(uint256 which, uint256 release) external counted {
        bytes32 terms = termsAt(which);
        if (models[terms].state == 0) _recordGood(terms, release);
        if (models[terms].releasing != 0) _consume(terms, models[terms].releasing, release);
    }

    /// @dev Three different members in good standing, of which there are always that many.
    function _recordGood(bytes32 terms, uint256 rotation) private {
        uint32[3] memory parties;
        uint256 found;
        for (uint256 i = 0; found < 3; ++i) {
            uint32 city = cityAt(rotation % CITIES + i);
            if (membership.inGoodStanding(city)) parties[found++] = city;
        }
        uint64 now_ = uint64(block.timestamp);
        Model memory wanted = Model(1, parties[0], parties[1], parties[2], now_, now_ + 9_000, 2);
        _record(terms, wanted);
    }

    function turn(uint256 who) external counted {
        if (who % 6 == 0) turnStanding(cityAt(who / 6));
    }

    function pass(uint256 seconds_) external counted {
        vm.warp(block.timestamp + seconds_ % 2_000);
    }

    function _consume(bytes32 terms, uint32 city, uint256 release) private {
        Model storage model = models[terms];
        bytes32 commitment = keccak256(abi.encode("release", release % RELEASES));
        bool allowed = model.state == 1 && city == model.releasing && _standing(model)
            && block.timestamp >= model.notBefore && block.timestamp < model.notAfter
            && model.usesLeft != 0 && !_released[commitment];
        vm.prank(accountOf(city, KeyRole.Gate));
        try grants.consume(terms, commitment) {
            require(allowed, "consumed what was not valid");
            --model.usesLeft;
            _released[commitment] = true;
            ++consumptions[terms];
            ++consumed;
        } catch {
            require(!allowed, "refused a good release");
            ++refused;
        }
    }

    function _standing(Model memory model) private view returns (bool) {
        return membership.inGoodStanding(model.releasing)
            && membership.inGoodStanding(model.receiving)
            && membership.inGoodStanding(model.recorder);
    }
}

contract GrantsInvariantTest {
    GrantsHandler private handler;

    function setUp() public {
        handler = new GrantsHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = GrantsHandler.record.selector;
        selectors[1] = GrantsHandler.revoke.selector;
        selectors[2] = GrantsHandler.consume.selector;
        selectors[3] = GrantsHandler.consumeByReleaser.selector;
        selectors[4] = GrantsHandler.turn.selector;
        selectors[5] = GrantsHandler.pass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev The handler compares every single call with the model; this compares what is held.
    function invariant_revokedNeverReturnsAndUsesAddUp() external view {
        for (uint256 i = 0; i < handler.TERMS(); ++i) {
            bytes32 terms = handler.termsAt(i);
            (uint8 wanted,,,,,, uint32 wantedLeft) = handler.models(terms);
            (uint8 state,,,,,, uint32 usesLeft,,) = handler.grants().grantOf(terms);
            require(state == wanted, "state");
            require(usesLeft == wantedLeft, "uses left");
            require(handler.consumptions(terms) + usesLeft == handler.granted(terms), "uses");
        }
    }

    function afterInvariant() external view {
        if (!handler.isWholeRun()) return;
        require(handler.recorded() >= 1, "nothing recorded");
        require(handler.refused() >= 1, "nothing refused");
    }

    /// @dev One whole life, so that a good consumption is certain whatever the fuzzer did.
    function test_consume_isReachedByTheHandler() external {
        handler.record(0, 0, 1, 2, 0, 10_000);
        handler.consumeByReleaser(0, 1);
        handler.revoke(0, 0);
        handler.consumeByReleaser(0, 2);
        require(handler.consumed() == 1 && handler.revoked() == 1, "not reached");
        require(handler.refused() == 1, "not refused");
    }
}
