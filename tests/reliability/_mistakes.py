"""Mutants of a source: each is the text with one small mistake in it, of the kinds that cosmic-ray knows."""

import ast
import hashlib
import itertools
from typing import NamedTuple

BINARY = "Add_Sub Add_Mul Sub_Add Sub_Div Mul_Div Mul_Add Div_Mul Div_Sub FloorDiv_Mul Mod_Mul Pow_Mul"
BITS = "LShift_RShift RShift_LShift BitOr_BitAnd BitAnd_BitOr BitXor_BitAnd"
COMPARISONS = "Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is"
OPERATORS = [
    *(f"ReplaceBinaryOperator_{pair}" for pair in f"{BINARY} {BITS}".split()),
    *(f"ReplaceComparisonOperator_{pair}" for pair in COMPARISONS.split()),
    *(f"ReplaceUnaryOperator_Delete_{sign}" for sign in ("USub", "Invert", "Not")),
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "NumberReplacer", "RemoveDecorator"),
    "ZeroIterationForLoop",
]
MISSING = "mutants are made by cosmic-ray: `pip install -e '.[mutation]'`"


class Mutant(NamedTuple):
    """One mistake: in which file and function, the line before and after, by which operator, and the whole text."""

    file: str
    scope: str
    line: str
    mutated: str
    operator: str
    text: str

    @property
    def name(self):
        """The same wherever in the file the line stands."""
        return self.file, self.scope, self.line, self.mutated

    @property
    def digest(self):
        """Of the mutated text."""
        return hashlib.sha256(f"{self.file}\n{self.text}".encode()).hexdigest()


def mutants(file, source):
    """All mutants of a source that are valid Python and not in an annotation, each once."""
    tree, seen = ast.parse(source), {source}
    notes = [span(note, source) for note in annotations(tree)]
    for operator, text in itertools.chain(replaced(source), left_out(tree, source), not_caught(tree, source)):
        at = difference(source, text)
        told = any(begin <= at < end for begin, end in notes) or source.startswith("*,", at)  # `*,` in a signature
        if text in seen or told or not valid(text):
            continue
        seen.add(text)
        number = source.count("\n", 0, at)
        lines = source.splitlines()[number], text.splitlines()[number]
        yield Mutant(file, scope(tree, number + 1), *(line.strip() for line in lines), operator, text)


def replaced(source):
    """By the operators of cosmic-ray."""
    try:
        from cosmic_ray import mutating, plugins
    except ImportError as error:
        raise SystemExit(MISSING) from error
    for name in OPERATORS:
        operator = plugins.get_operator(f"core/{name}")()
        for occurrence in itertools.count():
            text = mutating.mutate_code(source, operator, occurrence)
            if text is None:
                break
            yield name, text


def left_out(tree, source):
    """And by one that cosmic-ray lacks: a statement that is made for its effect is not there."""
    for node in ast.walk(tree):
        effect = isinstance(node, ast.Raise | ast.AugAssign) or (
            isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        )
        stored = isinstance(node, ast.Assign) and all(
            isinstance(t, ast.Subscript | ast.Attribute) for t in node.targets
        )
        if effect or stored:
            begin, end = span(node, source)
            yield "LeaveOut", f"{source[:begin]}pass{source[end:]}"


def not_caught(tree, source):
    """And by one that cosmic-ray has, but that stops at `zlib.error`: one kind of error is not caught."""
    for handler in ast.walk(tree):
        if isinstance(handler, ast.ExceptHandler) and handler.type:
            for kind in getattr(handler.type, "elts", [handler.type]):
                begin, end = span(kind, source)
                yield "NotCaught", f"{source[:begin]}StopAsyncIteration{source[end:]}"


def annotations(tree):
    """What is for readers and type checkers only."""
    for node in ast.walk(tree):
        yield from (note for field in ("annotation", "returns") if (note := getattr(node, field, None)))


def span(node, source):
    """Where a node begins and ends in the text, in characters."""
    lines = source.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(len(line) for line in lines)]

    def offset(line, column):
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)


def scope(tree, line):
    """The innermost function or class that a line is in, decorators included; "" at the top of the module."""
    inside = [
        node.name
        for node in ast.walk(tree)  # from the outside in
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and min(n.lineno for n in (node, *node.decorator_list)) <= line <= node.end_lineno
    ]
    return ".".join(inside)


def difference(a, b):
    """Where two texts part."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def valid(text):
    """Whether Python can compile it."""
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True
