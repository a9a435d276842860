// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Catalogue} from "../../../contracts/Catalogue.sol";
import {
    ContractRole, KeyRole, ListEdition, ListRule
} from "../../../contracts/types/Types.sol";
import {FuzzSelector, World} from "./World.sol";

/// @title Cities that propose, vote and publish at random, with a model that says what may be
contract CatalogueHandler is World {
    struct Ballot {
        uint8 list;
        uint32 edition;
        bytes32 digest;
        uint64 effectiveFrom;
        uint256 expiresAt;
        bool published;
    }

    struct Held {
        bytes32 digest;
        uint64 effectiveFrom;
    }

    uint8 public constant LISTS = 3; // of all, of the first two, of the first three one way

    Catalogue public catalogue;
    Ballot[] private _ballots; // a vote's number is its place here plus one
    mapping(uint256 ballot => mapping(uint32 city => uint8)) private _choice; // 1 yes, 2 no
    mapping(uint8 list => Held[]) private _held;
    uint256 public published;
    uint256 public refused;

    constructor() {
        catalogue = new Catalogue(membership);
        register(ContractRole.Catalogue, address(catalogue));
    }

    function ruleOf(uint8 list) public pure returns (ListRule) {
        return ListRule(list);
    }

    function partiesOf(uint8 list) public pure returns (bytes memory parties) {
        for (uint256 i = 0; i < (list == 0 ? 0 : list + 1); ++i) {
            parties = abi.encodePacked(parties, cityAt(i));
        }
    }

    function idOf(uint8 list) public view returns (bytes32) {
        return catalogue.listOf(ruleOf(list), "list", partiesOf(list));
    }

    function heldCount(uint8 list) external view returns (uint256) {
        return _held[list].length;
    }

    function heldAt(uint8 list, uint256 index) external view returns (bytes32, uint64) {
        return (_held[list][index].digest, _held[list][index].effectiveFrom);
    }

    function propose(uint256 who, uint8 which, uint256 skew, uint32 ahead) external counted {
        Ballot memory ballot;
        ballot.list = which % LISTS;
        uint256 held = _held[ballot.list].length;
        ballot.edition = uint32(held + (skew % 16 == 15 ? 2 : 1));
        ballot.digest = keccak256(abi.encode(who, which, skew, ahead));
        ballot.effectiveFrom = uint64(block.timestamp) + ahead % 40_000;
        ballot.expiresAt = block.timestamp + 7 days;
        uint32 city = cityAt(who);
        bool allowed = _concerned(ballot.list, city) && membership.inGoodStanding(city)
            && _isNext(ballot);
        ListEdition memory wanted = ListEdition(
            ruleOf(ballot.list), "list", partiesOf(ballot.list), ballot.edition, ballot.digest,
            ballot.effectiveFrom
        );
        vm.prank(accountOf(city, KeyRole.Govern));
        try catalogue.propose(wanted, bytes32(0)) returns (uint64 id) {
            require(allowed, "proposed what may not be");
            _ballots.push(ballot);
            require(id == _ballots.length, "number");
        } catch {
            require(!allowed, "refused a good proposal");
            ++refused;
        }
    }

    function vote(uint256 which, uint256 who, uint8 choice) external counted {
        uint256 index = which % (_ballots.length + 1); // one more than there are
        uint32 city = cityAt(who);
        uint8 wanted = choice % 4 == 3 ? 2 : 1;
        bool allowed = index < _ballots.length && _mayAct(index, city)
            && _choice[index][city] != wanted;
        vm.prank(accountOf(city, KeyRole.Govern));
        try catalogue.vote(uint64(index + 1), wanted == 1) {
            require(allowed, "voted what may not be");
            _choice[index][city] = wanted;
        } catch {
            require(!allowed, "refused a good vote");
            ++refused;
        }
    }

    function publish(uint256 which, uint256 who) public counted {
        uint256 index = which % (_ballots.length + 1);
        uint32 city = cityAt(who);
        bool allowed = index < _ballots.length && _mayAct(index, city)
            && _isNext(_ballots[index]) && _hasVotes(index);
        vm.prank(accountOf(city, KeyRole.Govern));
        try catalogue.publish(uint64(index + 1)) {
            require(allowed, "published what may not be");
            Ballot storage ballot = _ballots[index];
            ballot.published = true;
            _held[ballot.list].push(Held(ballot.digest, ballot.effectiveFrom));
            ++published;
        } catch {
            require(!allowed, "refused a good edition");
            ++refused;
        }
    }

    /// @dev The newest vote, so that many calls are good.
    function support(uint256 who) external counted {
        uint256 index = _ballots.length;
        if (index == 0) return;
        for (uint256 i = 0; i < CITIES; ++i) {
            uint32 city = cityAt(who % CITIES + i);
            if (!_mayAct(index - 1, city) || _choice[index - 1][city] == 1) continue;
            vm.prank(accountOf(city, KeyRole.Govern));
            catalogue.vote(uint64(index), true);
            _choice[index - 1][city] = 1;
        }
        publish(index - 1, who);
    }

    function turn(uint256 who) external counted {
        if (who % 6 == 0) turnStanding(cityAt(who / 6));
    }

    function pass(uint256 seconds_) external counted {
        vm.warp(block.timestamp + seconds_ % 20_000);
    }

    function _concerned(uint8 list, uint32 city) private pure returns (bool) {
        return list == 0 || city <= cityAt(list);
    }

    function _isNext(Ballot memory ballot) private view returns (bool) {
        Held[] storage held = _held[ballot.list];
        if (ballot.edition != held.length + 1) return false;
        if (ballot.effectiveFrom <= block.timestamp) return false;
        return held.length == 0 || ballot.effectiveFrom > held[held.length - 1].effectiveFrom;
    }

    function _mayAct(uint256 index, uint32 city) private view returns (bool) {
        Ballot storage ballot = _ballots[index];
        return !ballot.published && block.timestamp < ballot.expiresAt
            && _concerned(ballot.list, city) && membership.inGoodStanding(city);
    }

    function _hasVotes(uint256 index) private view returns (bool) {
        uint8 list = _ballots[index].list;
        uint256 yes;
        uint256 standing;
        uint256 concerned;
        for (uint256 i = 0; i < CITIES; ++i) {
            uint32 city = cityAt(i);
            if (!_concerned(list, city)) continue;
            ++concerned;
            if (!membership.inGoodStanding(city)) continue;
            ++standing;
            if (_choice[index][city] == 1) ++yes;
        }
        return list == 0 ? 3 * yes >= 2 * standing && yes > 0 : yes == concerned;
    }
}

contract CatalogueInvariantTest {
    CatalogueHandler private handler;

    function setUp() public {
        handler = new CatalogueHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = CatalogueHandler.propose.selector;
        selectors[1] = CatalogueHandler.vote.selector;
        selectors[2] = CatalogueHandler.publish.selector;
        selectors[3] = CatalogueHandler.support.selector;
        selectors[4] = CatalogueHandler.turn.selector;
        selectors[5] = CatalogueHandler.pass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @notice What counts is what was voted, each edition on its days and never another.
    function invariant_onlyVotesPublishAndNothingPublishedChanges() public view {
        for (uint8 list = 0; list < handler.LISTS(); ++list) {
            bytes32 id = handler.idOf(list);
            uint256 count = handler.heldCount(list);
            require(handler.catalogue().editionCount(id) == count, "count");
            for (uint256 i = 0; i < count; ++i) {
                (bytes32 digest, uint64 effectiveFrom) = handler.heldAt(list, i);
                (uint32 edition, bytes32 held, uint64 since) =
                    handler.catalogue().editionAt(id, effectiveFrom);
                require(edition == i + 1 && held == digest, "another edition");
                require(since == effectiveFrom, "another day");
            }
        }
    }

    function test_publish_isReachedByTheHandler() public {
        for (uint256 i = 0; i < 6; ++i) {
            handler.propose(i % 2, uint8(i), 0, uint32(1_000 * (i + 1)));
            handler.support(i);
        }
        require(handler.published() >= 4, "too few");
    }
}
