"""Digests of what a program computes, one per output.

The digest of a register covers the operation that fills it and the registers it reads, down to the
inputs, whose digests the caller provides. Register numbers, the order of steps and the needs of
other outputs have no effect, so equal computations have equal digests in any program.
"""

from collections.abc import Callable

from features.digests.code import code_digest, combined
from features.engine.expressions.interpreter import execute
from features.engine.expressions.opcodes import Op
from features.engine.expressions.program import Key, Program


def output_digests(program: Program, of_input: Callable[[Key], str]) -> dict[Key, str]:
    """Return the digest of each output by key; each step includes the code of the interpreter."""
    machine = code_digest(execute)
    # Compare constants by their bytes: 0.0 and -0.0 are equal, but may give different results.
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
    """Return the digest of the table cells that a step looks up."""
    _, first, cells = reads
    return combined("table", program.tables[first : first + cells].tobytes().hex())
