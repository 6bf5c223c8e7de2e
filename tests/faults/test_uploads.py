"""Files that are made to do harm, by the way of a visitor's upload: kept by the server, looked at by a worker."""

import csv
import io
import os
import struct
import tarfile
import time
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from core.data.own.keep import keep_upload
from core.data.own.preview import preview
from core.data.own.reading.archives import inflated, opened_archive
from core.data.own.reading.names import clean_name
from core.data.own.reading.pictures import decoded
from core.errors import LayerwiseError, SpecError
from core.settings import Settings
from tests.core.data.own_files import (
    csv_bytes,
    flowers,
    image_folder,
    kept,
    noise,
    npz_bytes,
    picture_bytes,
    previewed,
    tiny_png,
    zip_bytes,
)
from tests.faults.hostile import MIB, NAMES, is_sentence, little_memory, result_or_sentence

SETTINGS = Settings()


def refused(data, name="a.zip", **settings):
    """The refusal by server or worker: a sentence with a hint, and no memory for it."""
    with little_memory(8 * MIB + 2 * len(data)), pytest.raises(LayerwiseError) as caught:
        previewed(data, name, **settings)
    assert is_sentence(caught.value)
    return caught.value


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(*chunks, size=(8, 8)):
    """A sound PNG with more chunks behind its header."""
    plain = tiny_png(*size)
    return plain[:33] + b"".join(chunks) + plain[33:]


BOMB = zlib.compress(bytes(60 * MIB), 9)


@pytest.mark.fault(112)
@pytest.mark.parametrize(
    "data",
    [
        png_with(chunk(b"zTXt", b"Comment\0\0" + BOMB)),
        png_with(chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB)),
        png_with(chunk(b"iCCP", b"profile\0\0" + BOMB)),
        png_with(*[chunk(b"tEXt", b"Comment\0" + b"x" * 900_000)] * 80),
    ],
    ids=["zTXt", "iTXt", "iCCP", "much text"],
)
def test_a_picture_whose_remarks_inflate_takes_little_memory(data):
    with little_memory(80 * MIB if len(data) > MIB else 10 * MIB):
        image = result_or_sentence(lambda: decoded(data, SETTINGS))
    assert image is None or image.size == (8, 8)


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    "data",
    [
        tiny_png(60_000, 500),
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 0, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 0, 0, 0, 54, 40, 2**31 - 1, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
        b"\xff\xd8\xff\xc0\x00\x11\x08"
        + struct.pack(">HH", 65_500, 65_500)
        + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9",
    ],
    ids=["png", "bmp", "bmp of negative height", "jpeg"],
)
def test_a_picture_that_claims_a_huge_size_is_refused_before_it_is_decoded(data):
    with little_memory(4 * MIB), pytest.raises(SpecError):
        decoded(data, SETTINGS)


@pytest.mark.fault(111)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_taken_and_no_other_decoded(kind):
    frames = [Image.fromarray(noise(i, 400, 400)) for i in range(12)]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], lossless=True)
    data = buffer.getvalue()
    with little_memory(4 * len(data)):
        first = decoded(data, SETTINGS)
    np.testing.assert_array_equal(np.asarray(first), np.asarray(frames[0]))


@pytest.mark.fault(35)
def test_sixteen_bits_of_the_largest_picture_take_less_than_a_worker_has():
    side = 2000
    data = picture_bytes(np.arange(side * side, dtype=np.uint16).reshape(side, side))
    with little_memory(16 * side * side):
        assert decoded(data, SETTINGS).mode == "L"


@pytest.mark.fault(32)
def test_a_picture_cut_anywhere_is_refused_or_whole():
    whole = picture_bytes(noise(0))
    for length in range(0, len(whole) - 1, 97):
        image = result_or_sentence(lambda length=length: decoded(whole[:length], SETTINGS))
        assert image is None or np.array_equal(np.asarray(image), noise(0))


@pytest.mark.fault(110)
def test_a_directory_that_lies_about_a_size_gives_no_more_bytes_than_it_says():
    data = bytearray(zip_bytes({"cats/1.bmp": bytes(30 * MIB)}, zipfile.ZIP_DEFLATED))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)
    with little_memory(4 * MIB), opened_archive(bytes(data), "a.zip", SETTINGS) as archive, pytest.raises(zipfile.BadZipFile):
        inflated(archive, archive.infolist()[0])


@pytest.mark.fault(38)
def test_overlapping_entries_hold_no_more_than_the_limit():
    one = zip_bytes({"a/1.bmp": os.urandom(MIB)})
    start, end = one.index(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    header, n = one[start:end], 1500
    data = one[:start] + header * n + one[end : end + 8] + struct.pack("<HHII", n, n, len(header) * n, start) + b"\0\0"
    assert "would unpack to" in refused(data).message


@pytest.mark.fault(40)
@pytest.mark.parametrize("levels", [1, 5])
def test_archives_in_archives_are_not_opened(levels):
    data = zip_bytes(image_folder())
    for _ in range(levels):
        data = zip_bytes({"inner.zip": data})
    assert "Archives inside an archive are not opened" in refused(data).hint


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/cron.d/x.png",
        "/etc/x.png",
        "..\\..\\x.png",
        "C:\\x.png",
        "a/./../../x.png",
        "\\\\host\\share\\x.png",
        "cats/..",
        "a/\0/../../x.png",
    ],
)
def test_a_path_that_leads_out_leaves_nothing_anywhere(home, tmp_path, path):
    before = set(tmp_path.rglob("*"))
    files = {f"{name}": content for name, content in image_folder().items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        entry = zipfile.ZipInfo("x")
        entry.filename = path
        archive.writestr(entry, b"hit")
    result_or_sentence(lambda: previewed(buffer.getvalue(), "a.zip"))
    new = {path for path in tmp_path.rglob("*") if path not in before}
    assert all(one == home or home in one.parents for one in new)
    assert not [one for one in new if one.is_file() and one.read_bytes() == b"hit"]


@pytest.mark.fault(39)
def test_a_tar_archive_is_not_read_at_all():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    for name in ("a.tar", "a.zip", "a.csv", "a.tar.gz"):
        refused(buffer.getvalue(), name)


@pytest.mark.fault(41)
@pytest.mark.parametrize(
    "name", ["CON.csv", "nul.csv", "a" * 300 + ".csv", "A.csv", "a.CSV", "../../x.csv", "a\0b.csv", ".csv", "..\\x.csv"]
)
def test_whatever_a_file_is_called_it_lies_under_its_digest(home, name):
    found = result_or_sentence(lambda: kept(csv_bytes(flowers()), name))
    assert [one.name for one in (home / "uploads").glob("*")] == ([found[0].digest] if found else [])
    assert found is None or len(found[0].name) <= 60


@pytest.mark.fault(41)
def test_folders_of_one_name_in_capitals_and_long_ones_stay_apart(home):
    files = {}
    for place, folder in enumerate(("Cats", "cats", "CON", "x" * 300)):
        files |= {f"{folder}/{i}.png": picture_bytes(noise(10 * place + i)) for i in range(4)}
    found = previewed(zip_bytes(files), "a.zip")
    assert len(found.class_names) == 4
    assert all(len(name) <= 60 for name in found.class_names)


@pytest.mark.fault(114)
@pytest.mark.parametrize("letter", ["a", "é", "\u202e"])
def test_two_thousand_paths_of_64_kilobytes_cost_neither_time_nor_memory(home, letter):
    one = letter * (60_000 // len(letter.encode()))
    data = zip_bytes({f"{i}{one}/1.png": b"" for i in range(700)})
    begun = time.process_time()
    refused(data, upload_entries=2000)
    assert time.process_time() - begun < 5


@pytest.mark.fault(114)
def test_long_names_are_cut_and_not_kept_in_memory():
    tracemalloc.start()
    try:
        for i in range(200):
            assert len(clean_name(f"{i}" + "x" * 100_000)) == 60
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < MIB


@pytest.mark.fault(114)
@pytest.mark.parametrize("evil", NAMES.values(), ids=NAMES)
def test_names_of_columns_classes_and_files_are_shown_on_one_line_and_change_nothing(home, evil):
    rows = [(evil.replace("\n", " "), "width", "species"), *[(i, i % 7, f"{evil[:30]}{i % 2}") for i in range(40)]]
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    data = buffer.getvalue().encode("utf-8", "replace")
    if b"\0" in data or b"\x1b" in data or b"\x07" in data:
        assert "bytes that no text has" in refused(data, "a.csv").message
        return
    found = previewed(data, evil.replace("/", "-") + ".csv")
    shown = " ".join((found.name, *found.columns, *found.class_names))
    assert shown.isprintable()
    assert "\u202e" not in shown


@pytest.mark.fault(42)
@pytest.mark.parametrize("row", [b'"' * 3_000_001, b"," * 3_000_000, b"a" * 3_000_000, b'"a' + b"\n" * 3_000_000])
@pytest.mark.parametrize("place", [0, 1])
def test_a_row_without_end_is_refused_wherever_it_stands(home, row, place):
    lines = [b"a,b,c", b"1,2,x", b"3,4,y"] * 8
    lines[place] = row
    begun = time.process_time()
    result_or_sentence(lambda: previewed(b"\n".join(lines), "a.csv"))
    assert time.process_time() - begun < 5


@pytest.mark.fault(113)
@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "9" * 400, "0x10", "1_000", "\u0663", "1e-400", "NaN(1)"])
def test_odd_numbers_are_counted_or_no_numbers_and_never_reach_the_model(home, text):
    rows = [("a", "b", "y"), *[(i, i % 5, f"c{i % 2}") for i in range(40)]]
    rows[7] = (text, 1, "c0")
    found = previewed(csv_bytes(rows), "a.csv")
    assert found.n_examples >= 39


@pytest.mark.fault(118)
@pytest.mark.parametrize("width", [10**6, 2**31 - 1])
def test_an_array_of_texts_of_a_huge_width_is_refused_by_its_header(width):
    header = f"{{'descr': '<U{width}', 'fortran_order': False, 'shape': (1000,), }}".ljust(117) + "\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    refused(zip_bytes({"x.npy": array, "y.npy": array}), "a.npz")


@pytest.mark.fault(118)
def test_a_pickle_inside_arrays_does_not_run(home, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hit"),)

    evil = np.array([Evil()] * 20, object)
    for arrays in (
        {"x": evil, "y": np.arange(20)},
        {"x": np.zeros((20, 3)), "y": evil},
        {"x": np.zeros((20, 3)), "y": np.arange(20) % 2, "class_names": evil},
    ):
        result_or_sentence(lambda arrays=arrays: previewed(npz_bytes(**arrays), "a.npz"))
    assert not (tmp_path / "hit").exists()


@pytest.mark.fault(36)
@pytest.mark.parametrize("name", ["a.csv", "a.zip", "a.npz", "a.png", ""])
def test_nothing_is_no_file(home, name):
    with pytest.raises(SpecError):
        keep_upload(b"", name, SETTINGS.model_copy(update={"home": home}))


@pytest.mark.fault(41)
def test_bytes_at_random_under_every_name_are_a_sentence(home):
    rng = np.random.default_rng(0)
    settings = SETTINGS.model_copy(update={"home": home})
    for ending in ("csv", "tsv", "txt", "npz", "zip", "png", "jpg", "webp", "bmp", "pkl", "exe"):
        for length in (1, 30, 3000):
            data = rng.bytes(length)
            for start in (b"", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"RIFF", b"BM", b"\xff\xd8\xff", b"\xff\xfe"):
                upload = result_or_sentence(lambda: keep_upload(start + data, f"a.{ending}", settings))  # noqa: B023
                if upload is not None:
                    result_or_sentence(lambda: preview(upload.digest, upload.name, settings))  # noqa: B023
