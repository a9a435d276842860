"""The EVM rules of this chain: the paris fork with a base fee that stays zero.

Paris is the fork the contracts are compiled for: bytecode that needs a later opcode (PUSH0) fails
here already, not first in a consortium's chain. Gas is counted and limited but costs nothing: the
base fee is zero in every header, whatever the block before it used, so that a legacy transaction
with `gasPrice` 0 is always valid. This is the one departure from the rules of the fork.
"""

from __future__ import annotations

from typing import Any

from eth.abc import BlockHeaderAPI
from eth.chains.base import MiningChain
from eth.consensus.context import ConsensusContext
from eth.db.chain import ChainDB
from eth.validation import validate_gas_limit
from eth.vm.chain_context import ChainContext
from eth.vm.forks.paris import ParisVM
from eth.vm.forks.paris.headers import create_paris_header_from_parent
from eth_typing import BlockNumber
from eth_utils.exceptions import ValidationError

from ledger_node.localchain.overlay import OverlayDB

BASE_FEE_WEI = 0


def create_header_from_parent(
    parent_header: BlockHeaderAPI | None, **header_params: Any
) -> BlockHeaderAPI:
    """Header of a child: gas limit of its parent, base fee zero."""
    if parent_header is not None:
        header_params.setdefault("gas_limit", parent_header.gas_limit)
    header_params.pop("base_fee_per_gas", None)
    header: BlockHeaderAPI = create_paris_header_from_parent(parent_header, **header_params)
    return header.copy(base_fee_per_gas=BASE_FEE_WEI)


class FreeGasVM(ParisVM):
    """Paris, free of charge."""

    create_header_from_parent = staticmethod(create_header_from_parent)

    @classmethod
    def validate_gas(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        """Gas limit within the fork's bounds, base fee zero."""
        validate_gas_limit(header.gas_limit, parent_header.gas_limit)
        if header.base_fee_per_gas != BASE_FEE_WEI:
            raise ValidationError(f"base fee is {header.base_fee_per_gas}, not {BASE_FEE_WEI}")


def build_chain_class(chain_id: int) -> type[MiningChain]:
    """py-evm's chain with these rules from block 0 on."""
    return MiningChain.configure(
        "LocalChain", vm_configuration=((BlockNumber(0), FreeGasVM),), chain_id=chain_id
    )


def build_vm(chain_id: int, header: BlockHeaderAPI, overlay: OverlayDB) -> FreeGasVM:
    """A VM whose state is that after `header` and whose block context is `header`."""
    return FreeGasVM(
        header=header,
        chaindb=ChainDB(overlay),
        chain_context=ChainContext(chain_id),
        consensus_context=ConsensusContext(overlay),
    )
