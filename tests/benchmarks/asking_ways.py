"""The ways to answer that are compared, each in a process of its own so that memory is its own."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.asking_load import Ask, Said, watch
from training.base_model import BUNDLED_PACKAGE, BaseModel, _bundled_gguf
from training.prompt import ChatMessage

NEW_TOKENS = 128


@dataclass(frozen=True)
class Prompt:
    """A question, and exactly what reached the model for it."""

    question: str
    messages: tuple[ChatMessage, ...]

    def rendered(self, tokenizer: Any) -> str:
        """Return it as text, with the model's chat template."""
        return str(
            tokenizer.apply_chat_template(
                [{"role": m.role, "content": m.content} for m in self.messages],
                tokenize=False,
                add_generation_prompt=True,
            )
        )


def tokenizer_of(base: BaseModel) -> Any:
    """Return the base model's tokenizer."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base.folder)


def counter(tokenizer: Any) -> Callable[[str], int]:
    """Return what counts tokens, the same for everybody."""
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


@contextmanager
def llama_index_hugging_face(base: BaseModel, prompts: list[Prompt]) -> Iterator[Ask]:
    """llama-index's HuggingFaceLLM in float32: it answers one by one, the others wait."""
    import torch
    from llama_index.llms.huggingface import HuggingFaceLLM
    from transformers import AutoModelForCausalLM

    automatic: Any = AutoModelForCausalLM
    tokenizer = tokenizer_of(base)
    llm = HuggingFaceLLM(
        model=automatic.from_pretrained(base.folder, dtype=torch.float32).eval(),
        tokenizer=tokenizer,
        context_window=8192,
        max_new_tokens=NEW_TOKENS,
        generate_kwargs={"do_sample": False},
    )
    one_by_one = threading.Lock()
    texts = [prompt.rendered(tokenizer) for prompt in prompts]

    def ask(n: int) -> Said:
        def pieces() -> Iterator[str]:
            with one_by_one:
                for part in llm.stream_complete(texts[n % len(texts)], formatted=True):
                    yield part.delta or ""

        return watch(pieces(), counter(tokenizer))

    yield ask


@contextmanager
def llama_cpp_server(base: BaseModel, prompts: list[Prompt], python: Path) -> Iterator[Ask]:
    """llama-cpp-python's server with the Q4_1 file as it is published."""
    from openai import OpenAI

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        *(str(python), "-m", "llama_cpp.server", "--model", str(_bundled_gguf())),
        *("--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048"),
        *("--n_threads", str(os.cpu_count()), "--n_threads_batch", str(os.cpu_count())),
        # As it comes, a new question interrupts the answer that is being given.
        *("--interrupt_requests", "false", "--verbose", "false"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, f"http://127.0.0.1:{port}/v1/models")
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", timeout=600)
        tokenizer = tokenizer_of(base)
        texts = [prompt.rendered(tokenizer) for prompt in prompts]

        def ask(n: int) -> Said:
            def pieces() -> Iterator[str]:
                text = texts[n % len(texts)]
                stream = client.completions.create(
                    model=BUNDLED_PACKAGE,
                    prompt=text,
                    max_tokens=NEW_TOKENS,
                    temperature=0,
                    stream=True,
                )
                for part in stream:
                    yield part.choices[0].text

            return watch(pieces(), counter(tokenizer))

        yield ask
    finally:
        _remember_peak(process.pid)
        process.terminate()
        process.wait(30)


@contextmanager
def skredder_inference(base: BaseModel, prompts: list[Prompt]) -> Iterator[Ask]:
    """Skredder's engine alone, with the prompts ready."""
    from bot.inference.language_model import GenerationOptions
    from bot.inference.openvino_engine import OpenVinoEngine

    assert base.gguf is not None
    engine = OpenVinoEngine(base.gguf, base.folder, "base")
    options = GenerationOptions(max_new_tokens=NEW_TOKENS)

    def ask(n: int) -> Said:
        def pieces() -> Iterator[str]:
            yield from engine.start(prompts[n % len(prompts)].messages, options)

        return watch(pieces(), engine.count_tokens)

    yield ask
    engine.close()


@contextmanager
def skredder_whole(base: BaseModel, prompts: list[Prompt], home: Path) -> Iterator[Ask]:
    """Skredder from the question to the last word: retrieval, prompt, grounding check."""
    from tests.benchmarks.asking_stage import open_company

    tokenizer = tokenizer_of(base)
    with open_company(home) as skredder:

        def ask(n: int) -> Said:
            began = time.perf_counter()
            firsts: list[float] = []
            outcome = skredder.answering.answer(
                prompts[n % len(prompts)].question,
                {"everyone"},
                on_text=lambda _: firsts.append(time.perf_counter() - began),
            )
            whole = time.perf_counter() - began
            return Said(firsts[0], whole, counter(tokenizer)(outcome.text))

        yield ask


#: The peak memory of servers that have ended, in MB; this process's own is asked for at the end.
_peaks: list[float] = []


def peak_mb() -> float:
    """Return the most memory that the one who answers took so far, in MB."""
    import resource

    if _peaks:
        return _peaks[-1]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _remember_peak(pid: int) -> None:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            _peaks.append(int(line.split()[1]) / 1024)


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the server did not start within two minutes")
