"""Digests of what a program computes, one for each of its outputs.

The digest of a register is that of the operation that fills it and of what this reads, down to the
inputs, whose digests the caller gives. Where values lie, in which order steps come and what other
outputs need decides nothing, so equal computations have equal digests in any program.
"""

from collections.abc import Callable

from features.digests.code import code_digest, combined
from features.engine.expressions.interpreter import execute
from features.engine.expressions.opcodes import Op
from features.engine.expressions.program import Key, Program


def output_digests(program: Program, of_input: Callable[[Key], str]) -> dict[Key, str]:
    """The digest of each output by its key; what the machine does at a step is part of it."""
    machine = code_digest(execute)
    cells = program.constants.view("V8")
    found = {place: combined("constant", bytes(cell).hex()) for place, cell in enumerate(cells)}
    found |= {place: combined("text", text) for place, text in program.texts.items()}
    found |= {register.place: of_input(key) for key, register in program.inputs.items()}
    for operation, to, *reads in program.steps.tolist():
        op = Op(operation)
        looked_in = _table(program, reads) if op is Op.LOOK_UP else ""
        read = (found[place] for place in reads[: op.arity])
        found[to] = combined(op.name, machine, looked_in, *read)
    return {
        key: combined(register.kind.name, found[register.place])
        for key, register in program.outputs.items()
    }


def _table(program: Program, reads: list[int]) -> str:
    """The digest of the cells that a step looks up."""
    _, first, cells = reads
    return combined("table", program.tables[first : first + cells].tobytes().hex())
