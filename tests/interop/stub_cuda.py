"""Lets PyPI's PyTorch for Linux start on a computer without NVIDIA's libraries.

That wheel is linked against two gigabytes of CUDA libraries which nothing on a CPU ever calls. For
each one that is not installed, this writes a library of the same name whose functions end the
process with a message. Needs `readelf` and `cc`; run with the environment's own Python, once.
"""

import pathlib
import subprocess
import sysconfig

SITE = pathlib.Path(sysconfig.get_paths()["purelib"])
TORCH = SITE / "torch/lib"
STUBS = SITE / "nvidia/cu13/lib"  # on the wheel's search path, beside the real libcudart
# Where symbols carry no version, the beginnings of their names tell the library.
PREFIXES = {
    "libcufile.so.0": "cuFile",
    "libcusparseLt.so.0": "cusparseLt",
    "libnccl.so.2": "nccl",
    "libnvshmem_host.so.3": "nvshmem",
}
VERSIONS = {"libnvshmem_host.so.3": "NVSHMEM"}  # elsewhere the version is the library's name


def readelf(flag: str, library: pathlib.Path) -> list[list[str]]:
    command = ["readelf", "--wide", flag, library]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split() for line in text.splitlines()]


def is_missing(name: str) -> bool:
    known = any((folder / name).exists() for folder in (TORCH, STUBS))
    is_driver = name == "libcuda.so.1"  # nobody may find a stub in place of a driver
    return not known and not is_driver and name.startswith(("libcu", "libnccl", "libnv"))


def write_stub(name: str, undefined: set[str]) -> None:
    version = VERSIONS.get(name, name)
    versioned = {s.split("@")[0] for s in undefined if s.split("@")[-1] == version}
    prefix = PREFIXES.get(name)
    plain = {s for s in undefined if prefix and "@" not in s and s.startswith(prefix)}
    source = [
        "#include <stdio.h>",
        "#include <stdlib.h>",
        f'static void stop(void) {{ fputs("{name} is a stub: CPU only\\n", stderr); abort(); }}',
        *(f"void {symbol}(void) {{ stop(); }}" for symbol in sorted(versioned | plain)),
    ]
    options = ["-shared", "-fPIC", "-w", f"-Wl,-soname,{name}", "-o", STUBS / name]
    if versioned:
        script = STUBS / f"{name}.map"
        names = "".join(f"{symbol}; " for symbol in sorted(versioned))
        script.write_text(f"{version} {{ global: {names}}};\n")
        options.append(f"-Wl,--version-script,{script}")
    command = ["cc", "-x", "c", "-", *options]
    subprocess.run(command, check=True, input="\n".join(source), text=True)


def main() -> None:
    STUBS.mkdir(parents=True, exist_ok=True)
    needed, undefined = set(), set()
    for library in TORCH.glob("*.so*"):
        dynamic = readelf("--dynamic", library)
        needed |= {row[-1].strip("[]") for row in dynamic if "(NEEDED)" in row}
        symbols = readelf("--dyn-syms", library)
        undefined |= {row[7] for row in symbols if len(row) > 7 and row[6] == "UND"}
    for name in sorted(filter(is_missing, needed)):
        write_stub(name, undefined)


if __name__ == "__main__":
    main()
