"""Uploads are kept by content, within limits, and refused in words when they are not what they should be."""

import io
import os
import stat
import tracemalloc
import zipfile

import numpy as np
import pytest

from core.data.own.keep import MIB, kept_upload, store_upload
from core.data.own.reading.archives import zipped_folder
from core.errors import LayerwiseError, MissingData, SpecError, StoreError, TooExpensive
from core.settings import Settings
from tests.core.data.own_files import csv_bytes, flowers, image_folder, kept, noise, npz_bytes, picture_bytes, zip_bytes

TABLE = csv_bytes(flowers())


def test_a_file_is_kept_under_its_digest_private_and_whole(home):
    upload, settings = kept(TABLE, "iris.csv")
    path = home / "uploads" / upload.digest
    assert (upload.name, upload.n_bytes, upload.kind) == ("iris.csv", len(TABLE), "csv")
    assert path.read_bytes() == TABLE == kept_upload(upload.digest, settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [upload.digest]


def test_the_same_content_is_one_file_whatever_its_name(home):
    assert kept(TABLE, "a.csv")[0].digest == kept(TABLE, "b.txt")[0].digest
    assert len(list((home / "uploads").iterdir())) == 1


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (TABLE, "t.TSV", "csv"),
        (zip_bytes(image_folder()), "pets.zip", "zip"),
        (npz_bytes(x=np.zeros((12, 3)), y=np.arange(12) % 2), "a.npz", "npz"),
        (picture_bytes(noise(0)), "photo.png", "image"),
        (picture_bytes(noise(0), "JPEG"), "photo.jpeg", "image"),
        (picture_bytes(noise(0), "WEBP"), "photo.webp", "image"),
        (picture_bytes(noise(0), "BMP"), "photo.bmp", "image"),
    ],
)
def test_each_kind_is_known_by_name_and_content(data, name, kind):
    assert kept(data, name)[0].kind == kind


@pytest.mark.fault(33)
@pytest.mark.fault(36)
@pytest.mark.parametrize(
    ("data", "name", "message", "hint"),
    [
        (b"", "a.csv", "is empty", "another file"),
        (b"x", "book.xlsx", '".xlsx" are not read', "CSV"),
        (b"x", "film.gif", '".gif" are not read', "PNG"),
        (b"x", "pack.tar", '".tar" are not read', "ZIP"),
        (b"x", "model.pkl", '".pkl" are not read', "savez"),
        (b"x", "a.cvs", '".cvs" are not read', "'csv'"),
        (b"x", "README", "no ending", "Choose one of"),
        (zip_bytes(image_folder()), "pets.csv", "holds a ZIP archive", "right ending"),
        (picture_bytes(noise(0)), "a.csv", "holds a PNG image", "right ending"),
        (TABLE, "pets.zip", "no complete ZIP archive", "Pack it again"),
        (TABLE, "a.npz", "no complete ZIP archive", "Pack it again"),
        (b"<svg onload='x'/>", "a.png", "holds no image", "PNG or JPEG"),
        (b"%!PS-Adobe", "a.jpg", "holds no image", "PNG or JPEG"),
        (b"GIF89a" + bytes(99), "a.png", "holds a GIF image", "right ending"),
        (b"\x80\x04\x95" + bytes(99), "a.csv", "Python pickle", "right ending"),
    ],
)
def test_what_is_not_what_it_should_be_is_refused_in_words(home, data, name, message, hint):
    with pytest.raises(SpecError) as caught:
        kept(data, name)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert not (home / "uploads").exists()


@pytest.mark.fault(37)
def test_a_file_above_the_limit_is_refused_with_both_numbers(home):
    with pytest.raises(TooExpensive, match=r"has 1.4 MB, the limit is 1 MB") as caught:
        kept(b"a,b\n" + b"1,2\n" * 370_000, "a.csv", upload_mb=1)
    assert "LAYERWISE_UPLOAD_MB" in caught.value.hint


def test_the_files_that_were_not_used_for_longest_make_room(home):
    settings = Settings(home=home, uploads_mb=2, upload_mb=2)
    digests = [store_upload(bytes([i]) * (900 * 1024), "a", settings) for i in range(2)]
    for age, digest in enumerate(digests):
        os.utime(home / "uploads" / digest, (1000 + age, 1000 + age))
    arrays = home / "datasets" / "own" / digests[1] / "x"
    arrays.mkdir(parents=True)
    kept_upload(digests[0], settings)
    newest = store_upload(b"z" * (900 * 1024), "a", settings)
    assert {path.name for path in (home / "uploads").iterdir()} == {digests[0], newest}
    assert not arrays.exists()


def test_a_file_that_is_gone_is_asked_for_by_its_name(home):
    with pytest.raises(MissingData) as caught:
        kept_upload("0" * 64, Settings(home=home), "iris.csv")
    assert '"iris.csv" is not on this server' in caught.value.message
    assert "Upload iris.csv again on the Data screen" in caught.value.hint


def test_a_file_that_was_changed_on_the_disk_is_not_used(home):
    upload, settings = kept(TABLE, "iris.csv")
    (home / "uploads" / upload.digest).write_bytes(b"other")
    with pytest.raises(MissingData, match="damaged"):
        kept_upload(upload.digest, settings)


@pytest.mark.fault(41)
@pytest.mark.parametrize("digest", ["../../etc/passwd", "a" * 63, "A" * 64, "", "0" * 64 + "\n"])
def test_only_a_digest_names_a_file(home, digest):
    with pytest.raises(SpecError, match="not the digest"):
        kept_upload(digest, Settings(home=home))


def test_a_place_that_cannot_be_written_is_said(home):
    home.mkdir(parents=True)
    (home / "uploads").write_text("in the way")
    with pytest.raises(StoreError, match="could not be kept") as caught:
        kept(TABLE, "iris.csv")
    assert "disk space" in caught.value.hint


def entry(path, content=b"x", **changes):
    """A ZIP entry with changed fields."""
    info = zipfile.ZipInfo(path)
    for name, value in changes.items():
        setattr(info, name, value)
    return info, content


def archive_of(*entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return buffer.getvalue()


def encrypted():
    data = bytearray(zip_bytes(image_folder()))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def zip64():
    """An archive whose ZIP64 record is found before its plain one."""
    data = zip_bytes(image_folder())
    return data[:-22] + b"PK\x06\x07" + bytes(16) + data[-22:]


@pytest.mark.fault(39)
@pytest.mark.fault(40)
@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (zip_bytes({}), "holds no images", "one folder of images for each class"),
        (zip_bytes({"a/../../../x.png": b"x"}), "leads out of the archive", "nothing was unpacked"),
        (zip_bytes({"/abs/x.png": b"x"}), "leads out of the archive", "nothing was unpacked"),
        (zip_bytes({"..\\x.png": b"x"}), "leads out of the archive", "nothing was unpacked"),
        (zip_bytes({"C:/x.png": b"x"}), "leads out of the archive", "nothing was unpacked"),
        (archive_of(entry("cats/1.png", b"/etc/passwd", external_attr=0o120777 << 16)), "holds a link", "without links"),
        (encrypted(), "protected by a password", "without a password"),
        (zip64(), "ZIP64", "program of your system"),
        (zip_bytes({"a/1.png": b"x"}, zipfile.ZIP_LZMA), "a method that is not read", "Deflate"),
        (zip_bytes(image_folder())[:-30], "no complete ZIP archive", "Pack it again"),
        (zip_bytes({"inner.zip": zip_bytes(image_folder())}), 'but "inner.zip"', "Archives inside an archive are not opened"),
        (zip_bytes({"table.csv": TABLE}), 'but "table.csv"', "upload the table"),
        (zip_bytes({"cats/1.gif": b"x"}), "holds no images", ".png"),
        (zip_bytes({"1.png": b"x", "2.png": b"x"}), "its images are in no folder", "one folder for each class"),
        (
            zip_bytes({"cats/1.png": b"x", "cats/2.png": b"x"}),
            'all images with a folder are in "cats"',
            "one folder for each class",
        ),
    ],
)
def test_an_archive_is_refused_by_its_directory_alone(home, data, message, hint):
    with pytest.raises(SpecError) as caught:
        kept(data, "pets.zip")
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert not list(home.rglob("*")) or not (home / "uploads").exists()


@pytest.mark.fault(38)
@pytest.mark.parametrize(
    ("files", "settings", "message"),
    [
        ({"a/1.bmp": bytes(40 * MIB)}, {}, "would unpack to 40.0 MB from 0.04 MB"),
        ({f"a/{i}.bmp": bytes(MIB // 2) for i in range(20)}, {}, "100 times its size"),
        ({f"a/{i}.bmp": os.urandom(MIB // 2) for i in range(5)}, {"upload_inflated_mb": 2}, "the limits are 2 MB"),
        ({f"a/{i}.png": b"x" for i in range(2001)}, {}, "more than 2,000 entries"),
    ],
)
def test_a_zip_bomb_is_refused_before_memory_is_taken(home, files, settings, message):
    data = zip_bytes(files, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    try:
        with pytest.raises(TooExpensive) as caught:
            kept(data, "bomb.zip", **settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message in caught.value.message
    assert caught.value.hint
    assert peak < 2 * len(data) + 4 * MIB


@pytest.mark.fault(38)
def test_a_directory_of_a_million_entries_builds_nothing(home):
    one = archive_of(entry("a.png"))
    start = one.index(b"PK\x01\x02")
    header = one[start:-22]
    n = 200_000
    directory = header * n
    data = one[:start] + directory + one[-22:-10] + len(directory).to_bytes(4, "little") + one[-6:]
    tracemalloc.start()
    try:
        with pytest.raises(TooExpensive, match="more than 2,000 entries"):
            kept(data, "many.zip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB


def test_a_folder_becomes_one_archive_with_equal_bytes_for_equal_files():
    files = image_folder()
    settings = Settings()
    first = zipped_folder(files.items(), settings)
    assert first == zipped_folder(reversed(files.items()), settings)
    assert kept(first, "pets.zip")[0].kind == "zip"


@pytest.mark.parametrize("limits", [{"upload_entries": 15}, {"upload_mb": 1}])
def test_a_folder_above_the_limits_is_refused_before_it_is_packed(limits):
    files = image_folder() | {"cats/large.png": bytes(MIB)}
    with pytest.raises(TooExpensive, match="This folder has 17 files"):
        zipped_folder(files.items(), Settings().model_copy(update=limits))


def test_every_refusal_is_for_a_person():
    with pytest.raises(LayerwiseError) as caught:
        kept(b"x", "evil\u202e.exe")
    assert "\u202e" not in str(caught.value)
