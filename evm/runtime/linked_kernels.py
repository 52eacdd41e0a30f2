"""Linked kernels: what a kernel compiles to for the kernels that call it.

Most kernels are called by other kernels only. numba compiles each as if Python called it: it gives it a wrapper for
Python and one for C, links the runtime of reference counts and all it calls into it, optimises the whole and makes
machine code of it, and all this again for each caller. Of nested kernels nothing but the outermost one's machine code
is ever used; the rest was more than half of what compilation from nothing took.

So a kernel has two dispatchers. `Kernel` is what Python calls, and compiles as numba does. `Linked` is what it is to
other kernels: each function goes through numba's front end and LLVM's passes for single functions once, and lies as
bitcode in a library (`LinkedLibrary`) that is linked into its callers. They optimise it with themselves, inlining it
or not, when they are turned into machine code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import binding
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.runtime import rtsys
from numba.core.typed_passes import NativeLowering
from numba.core.types import Dispatcher
from numba.core.types.misc import unliteral


class LinkedLibrary(CPUCodeLibrary):  # type: ignore[misc]  # numba ships no types
    """Functions to link into others, never executed from here: no machine code is made of them."""

    def add_linking_library(self, library: Any) -> None:
        """Link a library into this one; never that of reference counts, of which kernels have none."""
        if library is not rtsys.library:
            super().add_linking_library(library)

    def _optimize_final_module(self) -> None:
        """Leave that to who is turned into machine code."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    @classmethod
    def from_bitcode(cls, codegen: Any, name: str, bitcode: bytes) -> LinkedLibrary:
        """The library that `serialize_using_bitcode` was told of."""
        library = cls(codegen, name)
        library._final_module = binding.parse_bitcode(bitcode)
        library._finalize_final_module()
        return library


class _Entry:
    """Stands for a linked function where numba keeps the address that Python would call."""


@register_pass(mutates_CFG=True, analysis_only=False)
class LinkedLowering(NativeLowering):  # type: ignore[misc]
    """Lower a function to LLVM's language, without wrappers and machine code."""

    _name = "linked_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower what the passes before have typed, and tell numba where calls of it find it."""
        state.library = LinkedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_cpython_wrapper = state.flags.no_cfunc_wrapper = state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        entry = _Entry()
        state.targetctx.insert_user_function(entry, lowered.fndesc, [state.library])
        state["cr"] = _LowerResult(lowered.fndesc, lowered.call_helper, cfunc=entry, env=lowered.env)
        return True


class LinkedCompiler(CompilerBase):  # type: ignore[misc]
    """numba's passes, with `LinkedLowering` in the place of its own."""

    def define_pipelines(self) -> list[Any]:
        """The passes."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state, name="linked")
        passes._finalized = False
        passes.passes = [
            (LinkedLowering if one is NativeLowering else one, description) for one, description in passes.passes
        ]
        passes.finalize()
        return [passes]


def rebuilt(target_context: Any, payload: Any) -> CompileResult:
    """A linked function as `reduced` has made it ready to be kept."""
    (name, _, bitcode), fndesc, signature = payload
    library, entry = LinkedLibrary.from_bitcode(target_context.codegen(), name, bitcode), _Entry()
    return CompileResult(
        typing_context=target_context.typing_context,
        target_context=target_context,
        entry_point=entry,
        typing_error=None,
        type_annotation=None,
        signature=signature,
        objectmode=False,
        lifted=(),
        fndesc=fndesc,
        library=library,
        call_helper=None,
        environment=None,
        metadata=None,
        reload_init=(),
        referenced_envs=(),
    )


def reduced(compiled: CompileResult) -> Any:
    """What is kept of a linked function: bitcode, name and signature."""
    fndesc = compiled.fndesc
    fndesc.typemap = fndesc.calltypes = None
    return compiled.library.serialize_using_bitcode(), fndesc, compiled.signature


class Linked(CPUDispatcher):  # type: ignore[misc]
    """A kernel as other kernels see it."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(function, {}, options, pipeline_class=LinkedCompiler)

    def add_overload(self, compiled: CompileResult) -> None:
        """Note what was compiled for some argument types; Python has nothing to call."""
        self.overloads[tuple(compiled.signature.args)] = compiled

    def get_call_template(self, arguments: Any, keywords: Any) -> Any:
        """What numba's typing asks of a function: compiled once for all integers, not once for each named constant."""
        return super().get_call_template(
            tuple(map(unliteral, arguments)), {name: unliteral(kind) for name, kind in keywords.items()}
        )


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A kernel as Python sees it.

    Attributes
    ----------
    linked : Linked
        What it is to other kernels.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(function, {}, {**options, "no_cfunc_wrapper": True})
        self.linked = Linked(function, options)

    @property
    def _numba_type_(self) -> Any:
        return Dispatcher(self.linked)
