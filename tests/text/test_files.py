import signal
import subprocess
import sys

import pytest

from seqnlp.text.files import make_folder, read_lines, write_lines


def test_lines_come_back_as_they_were_written(tmp_path):
    lines = ["", "a b", "\u2028\x85\x0b", "한", ""]
    write_lines(tmp_path / "f.txt", lines)
    assert read_lines(tmp_path / "f.txt") == lines


def test_an_empty_file_has_no_lines(tmp_path):
    write_lines(tmp_path / "f.txt", [])
    assert read_lines(tmp_path / "f.txt") == []


def test_a_byte_that_is_not_utf8_is_named_with_its_line(tmp_path):
    path = tmp_path / "f.txt"
    path.write_bytes(b"good\nna\xefve\n")
    with pytest.raises(ValueError, match="must be UTF-8") as caught:
        read_lines(path)
    assert str(caught.value) == (
        f"{path}, line 2: must be UTF-8. Received: byte 0xef at position 2"
    )


def test_a_folder_where_a_file_stands_is_named(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(OSError, match="f/folder: cannot be made a folder"):
        make_folder(tmp_path / "f" / "folder")


@pytest.mark.slow
def test_a_full_disk_is_named(tmp_path):
    path = tmp_path / "f.txt"
    program = (
        "import resource, sys\n"
        "from seqnlp.text.files import write_lines\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    write_lines(sys.argv[1], ['a' * 5000])\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != -signal.SIGXFSZ
    assert done.stdout.startswith(f"{path}: cannot be written (")
