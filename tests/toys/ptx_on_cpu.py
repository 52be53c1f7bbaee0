"""A card made of a C compiler: the PTX of a kernel, instruction by instruction as C, and its threads as coroutines.

It says what the compiled code computes, which numba's simulator, that runs the Python source, cannot. It knows the
instructions that the kernels of this project are made of, and refuses others. It knows nothing of time.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {
    "pred": "int", "u8": "uint8_t", "b16": "uint16_t", "u16": "uint16_t", "s16": "int16_t", "b32": "uint32_t",
    "u32": "uint32_t", "s32": "int32_t", "b64": "uint64_t", "u64": "uint64_t", "s64": "int64_t", "f32": "float",
    "f64": "double",
}  # fmt: skip
REGISTERS = {"p": "int", "rs": "uint16_t", "r": "uint32_t", "rd": "uint64_t", "f": "float", "fd": "double"}

#: The card itself, which includes the kernel.
CARD = Path(__file__).with_name("ptx_card.c")


class PtxOnCpu:
    """A kernel from its PTX; `folder` takes the files of the C compiler."""

    def __init__(self, ptx: str, folder: Path) -> None:
        library = folder / "card.so"
        (folder / "kernel.inc").write_text(in_c(ptx))
        options = ["-O1", "-ffp-contract=off", "-frounding-math", "-w", "-fPIC", "-shared", "-I", folder]
        subprocess.run(["cc", *options, "-o", library, CARD, "-lm"], check=True, timeout=110)
        self._launch = ctypes.CDLL(str(library)).launch

    def launch(self, blocks: int, threads: int, *arguments: Any, backwards: bool = False) -> None:
        """Run so many blocks of so many threads; arrays are passed as numba passes them.

        Between two barriers the threads run one after the other, `backwards` the last one first: where the order
        matters, a barrier is missing.
        """
        given = b"".join(_words(arguments))
        assert self._launch(blocks, threads, given, int(backwards)) == 0, (
            "threads wait at a barrier that others never reach"
        )


def in_c(ptx: str) -> str:
    """PTX with one kernel to C."""
    head, _, body = ptx.partition("{\n")
    shared = re.findall(r"\.shared \.align \d+ \.b8 (\w+)\[(\d+)\]", head)
    given = {name: place for place, name in enumerate(re.findall(r"\.param \.[uf]\d+ (\w+)", head))}
    lines = [*(f"static char {name}[{size}] __attribute__((aligned(16)));" for name, size in shared)]
    lines.append("static void kernel(void) {")
    for kind, prefix, count in re.findall(r"\.reg \.(\w+)\s+%(\w+)<(\d+)>;", body):
        lines += [f"{REGISTERS[prefix]} {prefix}_{n} = 0;" for n in range(int(count)) if kind]
    for line in body.split("\n"):
        text = re.sub(r"//.*", "", line).strip()
        if text.endswith(":"):
            lines.append(text.replace("$", "") + ";")
        elif text and not text.startswith((".", "}")):
            guard, operation, operands = re.fullmatch(r"(?:@(!?%p\d+)\s+)?([\w.]+)\s*(.*?);", text).groups()
            statement = _statement(operation.split("."), [x.strip() for x in operands.split(",")], given)
            lines.append(f"if ({_operand(guard)}) {{ {statement} }}" if guard else statement)
    return "\n".join([*lines, "}", ""])


def _operand(text: str) -> str:
    if text.startswith("!"):
        return f"!{_operand(text[1:])}"
    if match := re.fullmatch(r"%(p|rs|rd|r|fd|f)(\d+)", text):
        return f"{match[1]}_{match[2]}"
    if match := re.fullmatch(r"0([fd])([0-9A-F]+)", text):
        return f"real_{match[1]}(0x{match[2]}u{'l' if match[1] == 'd' else ''})"
    if text.startswith("%"):
        return text[1:].replace(".", "_")
    if re.fullmatch(r"-?\d+", text):
        return f"((int64_t){text}ull)" if not text.startswith("-") else f"(-(int64_t){text[1:]}ull)"
    return f"(uint64_t)(uintptr_t){text.replace('$', '')}"


def _address(text: str) -> str:
    base, _, offset = text.strip("[]").partition("+")
    return f"({_operand(base)} + ({offset or 0}))"


def _statement(operation: list[str], operands: list[str], given: dict[str, int]) -> str:  # noqa: PLR0911, PLR0912
    """One instruction, by the tables of NVIDIA's PTX ISA."""
    name, kind = operation[0], TYPES.get(operation[-1], "")
    if name == "bar":
        return "bar_sync();"
    if name == "ret":
        return "done = 1; return;"
    if name == "bra":
        return f"goto {operands[0].replace('$', '')};"
    if operation[:2] == ["ld", "param"]:
        place = 8 * given[operands[1].strip("[]")]
        return f"memcpy(&{_operand(operands[0])}, params + {place}, sizeof({kind}));"
    if name == "ld":
        return f"{_operand(operands[0])} = *({kind}*){_address(operands[1])};"
    if name == "st":
        return f"*({kind}*){_address(operands[0])} = {_operand(operands[1])};"
    into, values = _operand(operands[0]), [_operand(operand) for operand in operands[1:]]
    if operation == ["atom", "shared", "max", "s32"]:
        at = f"*(int32_t*){_address(operands[1])}"
        return f"{into} = {at}; if ({at} < (int32_t){values[1]}) {at} = {values[1]};"
    if name == "cvta":
        return f"{into} = {values[0]};"
    if name == "mov":
        return f"{into} = {_moved(operands[0], operands[1])};"
    a, b, c = (f"(({kind}){value})" for value in (*values, "0", "0", "0")[:3])
    signed, whole = operation[-1].startswith("s"), "u" + kind.lstrip("u")  # whole numbers wrap, in C if unsigned
    if name == "setp":
        sign = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
        how = operation[1]
        contrary = {"leu": ">", "geu": "<"}.get(how)  # true, too, where one of them is no number
        return f"{into} = !({a} {contrary} {b});" if contrary else f"{into} = {a} {sign[how]} {b};"
    if name == "selp":
        return f"{into} = {values[2]} ? {a} : {b};"
    if name == "cvt":
        source = operation[-1]
        if "rzi" in operation:
            return f"{into} = to_{operation[-2]}({values[0]});"
        assert operation[1] == "rn" or source[0] in "us" or operation[1:] == ["f64", "f32"], operation
        return f"{into} = ({TYPES[operation[-2]]}){a};"
    wide = {"s32": "int64_t", "u32": "uint64_t"}.get(operation[-1])
    floats = operation[-1] in ("f32", "f64")
    if floats and name in ("add", "sub", "mul", "div", "rcp"):
        assert operation[1] == "rn", f"{'.'.join(operation)} is rounded as the card likes"
        return f"{into} = 1.0 / {a};" if name == "rcp" else f"{into} = {a} {_SIGNS[name]} {b};"
    if floats and name in ("min", "max", "abs"):
        letter = "f" if operation[-1] == "f32" else ""
        return f"{into} = f{name}{letter}({a}{'' if name == 'abs' else ', ' + b});"
    if name in ("min", "max"):
        return f"{into} = {a} {'<' if name == 'min' else '>'} {b} ? {a} : {b};"
    if name == "neg":
        return f"{into} = -{a};"
    if name == "not":
        return f"{into} = {'!' if operation[-1] == 'pred' else '~'}{a};"
    if operation[:2] == ["mul", "wide"]:
        return f"{into} = ({wide}){a} * ({wide}){b};"
    if operation[:2] == ["mad", "lo"]:
        return f"{into} = ({whole}){a} * {b} + {c};"
    if name in ("shl", "shr"):
        size = 8 * np.dtype(kind.removesuffix("_t")).itemsize
        count = f"(uint32_t){values[1]}"
        over = f"({a} < 0 ? -1 : 0)" if signed else "0"
        return f"{into} = {count} >= {size} ? {over} : {a} {_SIGNS[name]} {count};"
    assert name in _SIGNS, f"{'.'.join(operation)} is not known"
    if name in ("add", "sub", "mul"):
        return f"{into} = ({whole}){a} {_SIGNS[name]} {b};"
    return f"{into} = {a} {_SIGNS[name]} {b};"


_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%", "and": "&", "or": "|", "xor": "^", "shl": "<<",
    "shr": ">>",
}  # fmt: skip


def _moved(into: str, value: str) -> str:
    """mov.b32 and mov.b64 keep the bits, whatever the registers' types."""
    letters = [re.match(r"%(p|rs|rd|r|fd|f)\d", text) for text in (into, value)]
    ends = ["" if letter is None else letter[1] for letter in letters]
    if ends in (["f", "r"], ["fd", "rd"]):
        return f"real_{ends[0][-1]}({_operand(value)})"
    if ends in (["r", "f"], ["rd", "fd"]):
        return f"bits_{ends[1][-1]}({_operand(value)})"
    return _operand(value)


def _words(arguments: Any) -> list[bytes]:
    """Arguments as numba flattens them, each in eight bytes; an array is its sizes, its address and its shape."""
    words: list[bytes] = []
    for value in arguments:
        if isinstance(value, tuple):
            words += _words(value)
        elif isinstance(value, np.ndarray):
            numbers = (0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides)
            words += [number.to_bytes(8, "little", signed=True) for number in numbers]
        elif isinstance(value, (float, np.floating)):
            words.append(np.asarray(value).tobytes().ljust(8, b"\0"))
        else:
            words.append(int(value).to_bytes(8, "little", signed=True))
    return words
