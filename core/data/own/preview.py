"""What an uploaded file holds: read once from end to end in a worker, before it becomes a data set."""

from core.data.own.image_preview import images_preview
from core.data.own.keep import kept_upload
from core.data.own.kinds import checked_kind
from core.data.own.own_file import FEWEST
from core.data.own.reading.names import file_name
from core.data.own.table_preview import arrays_preview, csv_preview
from core.errors import SpecError
from core.results.upload_preview import UploadPreview
from core.settings import Settings


def preview(file: str, name: str, settings: Settings) -> UploadPreview:
    """What there is in a kept file, what may be wrong with it, and what could be predicted.

    Args:
        file: digest of the file.
        name: what the visitor calls it; its ending says the kind.

    Raises:
        MissingData: the file is not on this server.
        SpecError: nothing can be learned from it; the message says why.
        TooExpensive: larger than the limits.
    """
    data = kept_upload(file, settings, file_name(name))
    shown = file_name(name) or ("file.zip" if data.startswith(b"PK") else "file.csv")
    kind = checked_kind(data, shown, settings)
    if kind == "image":
        raise SpecError(
            f'"{shown}" is one picture, which is no data set.',
            hint="Pack a folder of images for each class as a ZIP file. A single picture can be predicted by a trained model.",
        )
    if kind == "zip":
        found = images_preview(data, file, shown, settings)
    else:
        found = (csv_preview if kind == "csv" else arrays_preview)(data, file, shown, settings)
    if found.n_examples < FEWEST:
        raise SpecError(
            f'"{shown}" has {found.n_examples:,} examples, at least {FEWEST} are needed.',
            hint="Add examples: some are needed to learn from, to check on after each epoch, and for the test at the end.",
        )
    return found
