"""`ansim receive`: a DICOM receiver beside the sealed source store, until it is stopped."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from enclave.console.acting import say
from enclave.policy.reception import Senders
from enclave.reception.book import NotRecorded, kept_book
from enclave.reception.lines import NO_TITLE, Certificates, is_title
from enclave.reception.receiver import Place, receiving
from enclave.reception.sealed import Kept, SealedStore

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("receive")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--from", "titles", multiple=True, help="TLS 없이 보낼 수 있는 AE title, 여러 번 (senders without TLS)")
@click.option(
    "--senders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="TLS로 보낼 수 있는 곳의 인증서 폴더, AE_TITLE.pem (certificates of those who may send)",
)
@click.option("--certificate", type=FILE, help="우리의 TLS 인증서, PEM (our certificate)")
@click.option("--key", type=FILE, help="그 개인키, PEM (its key)")
@click.option("--title", default="ANSIM", show_default=True, help="우리의 AE title (ours)")
@click.option("--address", default="127.0.0.1", show_default=True, help="듣는 주소 (address)")
@click.option("--port", type=click.IntRange(0, 65535), default=11112, show_default=True, help="듣는 포트 (port)")
def receive(  # noqa: PLR0913 - one parameter for each option
    folder: Path,
    *,
    titles: tuple[str, ...],
    senders: Path | None,
    certificate: Path | None,
    key: Path | None,
    title: str,
    address: str,
    port: int,
) -> None:
    """병원이 DICOM C-STORE로 보내는 영상을 봉인된 원본 저장소 FOLDER에 받습니다 (receive images).

    연결마다 시작과 끝이 감사기록에 남습니다. --from(TLS 없음)과 --senders(TLS) 가운데 하나를 줍니다.
    """
    heard, place = _who(titles, (senders, certificate, key), title, (address, port))
    # What asks a service to stop: both end `sigwait` and nothing else does.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        _receive(SealedStore(folder.resolve()), heard, place)
    except NotRecorded as error:
        raise click.ClickException(
            f"감사기록을 남길 수 없어 받지 않습니다 [{error.code}]. ansim status로 데이터베이스를 확인하세요 "
            "(nothing is received, as it cannot be recorded: check the database)."
        ) from error
    except OSError as error:
        raise click.ClickException(
            f"{address}:{port}, {folder}: {error.strerror}. 주소와 폴더를 확인하세요 (check address and folder)."
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def _receive(store: SealedStore, heard: Senders, place: Place) -> None:
    here = click.get_current_context()

    def tell(sender: str, kept: Kept | None) -> None:
        # Another thread, which does not know the command's language.
        with here.scope(cleanup=False):
            _tell(sender, kept)

    store.prepare()
    with (
        kept_book(store.folder, store.open, heard) as book,
        receiving(store, book, place, tell, ours=heard.ours) as got,
    ):
        how = "TLS" if place.tls else "암호화 없음 (not encrypted)"
        say(
            f"{place.address[0]}:{got} 에서 {heard.ours}(으)로 받습니다: {how}.",
            f"Receiving as {heard.ours} at {place.address[0]}:{got}: {how}.",
        )
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _who(
    titles: tuple[str, ...], files: tuple[Path | None, Path | None, Path | None], ours: str, address: tuple[str, int]
) -> tuple[Senders, Place]:
    """Read who may send and how. Raises `click.UsageError` for half of either way, no title, no certificate."""
    senders, certificate, key = files
    for each in (ours, *titles):
        if not is_title(each):
            raise click.UsageError(f"{each}: {NO_TITLE}")
    if titles and not any(files):
        return Senders(dict.fromkeys(titles, ""), ours), Place(address)
    if titles or senders is None or certificate is None or key is None:
        raise click.UsageError(
            "--from만, 또는 --senders, --certificate, --key를 함께 주세요 "
            "(either --from, or --senders, --certificate and --key together)."
        )
    found = Certificates(certificate, key, senders)
    try:
        return Senders(found.titles(), ours), Place(address, found.context())
    except (ValueError, OSError) as error:
        raise click.UsageError(f"인증서를 읽을 수 없습니다 (certificates): {error}") from error


def _tell(sender: str, kept: Kept | None) -> None:
    if not sender:
        say("끝난 수신을 기록하지 못했습니다.", "A reception that is over could not be recorded.")
    elif kept is None:
        say(f"{sender}: 디스크에 쓰지 못했습니다. 자리를 비우세요.", f"{sender}: the disk did not take it. Make room.")
    elif kept.reason:
        say(f"{sender}: 격리 {kept.digest[:16]} [{kept.reason}]", f"{sender}: quarantined {kept.digest[:16]}")
    elif not kept.known:
        say(f"{sender}: 받음 {kept.digest[:16]}", f"{sender}: received {kept.digest[:16]}")
