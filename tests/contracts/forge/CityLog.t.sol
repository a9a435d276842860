// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {KeyRole, ProposalKind} from "../../../contracts/types/Types.sol";
import {EqualTree} from "./EqualTree.sol";
import {FuzzSelector, World} from "./World.sol";

/// @title Cities that anchor honestly and dishonestly, with a model of what may be held
contract CityLogHandler is World {
    mapping(uint32 city => uint64) public modelSize;
    mapping(uint32 city => uint32) public modelGeneration;
    mapping(uint32 city => bytes32) public modelRoot;
    uint256 public accepted;
    uint256 public refused;
    uint256 public closed;

    constructor() {
        for (uint256 i = 0; i < CITIES; ++i) {
            modelGeneration[cityAt(i)] = 1;
        }
    }

    /// @dev If the city is suspended the next one anchors too: one suspended member at a time.
    function anchorGrowth(uint256 who, uint64 growth) external counted {
        uint32 city = cityAt(who);
        _grow(city, growth);
        if (!membership.inGoodStanding(city)) _grow(cityAt(who % CITIES + 1), growth);
    }

    function _grow(uint32 city, uint64 growth) private {
        uint64 size = modelSize[city];
        growth = 1 + growth % 300;
        bytes32 root = EqualTree.root(size + growth);
        bytes32[] memory proof = size == 0
            ? new bytes32[](0)
            : EqualTree.proof(size, size + growth);
        bool passed = _try(city, KeyRole.Anchor, size, size + growth, root, proof);
        require(passed == membership.inGoodStanding(city), "honest anchor and standing disagree");
        if (!passed) return;
        modelSize[city] = size + growth;
        modelRoot[city] = root;
    }

    function anchorForgery(uint256 who, uint64 growth, uint8 damage, uint256 bit) external counted {
        uint32 city = cityAt(who);
        uint64 size = modelSize[city];
        growth = 1 + growth % 300;
        if (size == 0) {
            bytes32[] memory needless = new bytes32[](1);
            bytes32 first = EqualTree.root(growth);
            require(!_try(city, KeyRole.Anchor, 0, growth, first, needless), "needless proof");
            return;
        }
        uint64 oldSize = size;
        uint64 newSize = size + growth;
        KeyRole role = KeyRole.Anchor;
        bytes32 root = EqualTree.root(newSize);
        bytes32[] memory proof = EqualTree.proof(size, newSize);
        damage %= 6;
        if (damage == 0) root ^= bytes32(1 << (bit % 256));
        if (damage == 1) proof[bit % proof.length] ^= bytes32(1 << (bit / 256 % 256));
        if (damage == 2) oldSize = size - 1;
        if (damage == 3) newSize = size;
        if (damage == 4) proof = new bytes32[](proof.length + 1);
        if (damage == 5) role = bit % 2 == 0 ? KeyRole.Gate : KeyRole.Govern;
        require(!_try(city, role, oldSize, newSize, root, proof), "forgery accepted");
    }

    function closeByVote(uint256 who, uint64 size) external counted {
        uint32 city = cityAt(who / 4);
        if (modelSize[city] == 0 || who % 4 != 0) return;
        size = 1 + size % modelSize[city];
        bytes32 root = EqualTree.root(size);
        decide(
            ProposalKind.CloseGeneration, abi.encode(city, modelGeneration[city], size, root)
        );
        ++modelGeneration[city];
        (modelSize[city], modelRoot[city]) = (0, bytes32(0));
        ++closed;
    }

    function closeWithoutVote(uint256 who, uint64 size, bytes32 root) external counted {
        uint32 city = cityAt(who);
        vm.prank(accountOf(city, KeyRole(who % 3)));
        try log.closeGeneration(city, modelGeneration[city], size, root) {
            revert("closed without a vote");
        } catch {}
    }

    function turn(uint256 who) external counted {
        if (who % 4 == 0) turnStanding(cityAt(who / 4));
    }

    function _try(
        uint32 city,
        KeyRole role,
        uint64 oldSize,
        uint64 newSize,
        bytes32 root,
        bytes32[] memory proof
    ) private returns (bool) {
        vm.prank(accountOf(city, role));
        try log.anchor(oldSize, newSize, root, proof) {
            ++accepted;
            return true;
        } catch {
            ++refused;
            return false;
        }
    }
}

contract CityLogInvariantTest {
    CityLogHandler private handler;

    function setUp() public {
        handler = new CityLogHandler();
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = CityLogHandler.anchorGrowth.selector;
        selectors[1] = CityLogHandler.anchorForgery.selector;
        selectors[2] = CityLogHandler.closeByVote.selector;
        selectors[3] = CityLogHandler.closeWithoutVote.selector;
        selectors[4] = CityLogHandler.turn.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Append-only: what is held is exactly what honest anchors and votes made of it.
    function invariant_headIsWhatOnlyTheOwnerAnchored() external view {
        for (uint256 i = 0; i < 4; ++i) {
            uint32 city = handler.cityAt(i);
            (uint32 generation, uint64 size, bytes32 root,) = handler.log().head(city);
            require(generation == handler.modelGeneration(city), "generation");
            require(size == handler.modelSize(city), "size");
            require(root == handler.modelRoot(city), "root");
        }
    }

    /// @dev A run in which nothing happens proves nothing.
    function afterInvariant() external view {
        if (!handler.isWholeRun()) return;
        require(handler.accepted() >= 1, "too few anchors accepted");
        require(handler.refused() >= 1, "too few anchors refused");
    }

    function test_fuzz_anchorRefusesAnyOtherRoot(uint64 size, uint64 growth, bytes32 root) external {
        size = 1 + size % 100_000;
        growth = 1 + growth % 100_000;
        if (root == EqualTree.root(size + growth)) return;
        AnchorProbe probe = new AnchorProbe();
        require(!probe.passes(size, size + growth, root), "foreign root accepted");
        require(probe.passes(size, size + growth, EqualTree.root(size + growth)), "twin refused");
    }
}

/// @title One anchor after a first one, in a world that is thrown away
contract AnchorProbe is World {
    function passes(uint64 size, uint64 newSize, bytes32 root) external returns (bool) {
        address account = accountOf(cityAt(0), KeyRole.Anchor);
        (, uint64 held,,) = log.head(cityAt(0));
        if (held == 0) {
            bytes32 first = EqualTree.root(size); // hashing is a call: before the prank
            vm.prank(account);
            log.anchor(0, size, first, new bytes32[](0));
        }
        bytes32[] memory proof = EqualTree.proof(size, newSize);
        vm.prank(account);
        try log.anchor(size, newSize, root, proof) {
            return true;
        } catch {
            return false;
        }
    }
}
