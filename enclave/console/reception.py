"""`ansim receive`: a DICOM receiver beside the sealed source store, until it is stopped."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from enclave.console.acting import say
from enclave.reception.receiver import Sender, receiving
from enclave.reception.sealed import Kept, SealedStore


@click.command("receive")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--from", "titles", multiple=True, required=True, help="보낼 수 있는 AE title, 여러 번 (senders)")
@click.option("--title", default="ANSIM", show_default=True, help="우리의 AE title (ours)")
@click.option("--address", default="127.0.0.1", show_default=True, help="듣는 주소 (address)")
@click.option("--port", type=click.IntRange(0, 65535), default=11112, show_default=True, help="듣는 포트 (port)")
def receive(folder: Path, titles: tuple[str, ...], title: str, address: str, port: int) -> None:
    """병원이 DICOM C-STORE로 보내는 영상을 봉인된 원본 저장소 FOLDER에 받습니다 (receive images)."""
    # What asks a service to stop: both end `sigwait` and nothing else does.
    here = click.get_current_context()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def tell(sender: str, kept: Kept | None) -> None:
        # Another thread, which does not know the command's language.
        with here.scope(cleanup=False):
            _tell(sender, kept)

    try:
        with receiving(SealedStore(folder.resolve()), Sender(titles, title), (address, port), tell) as got:
            say(f"{address}:{got} 에서 {title}(으)로 받습니다.", f"Receiving as {title} at {address}:{got}.")
            signal.sigwait(signals)
    except OSError as error:
        raise click.ClickException(
            f"{address}:{port}, {folder}: {error.strerror}. 주소와 폴더를 확인하세요 (check address and folder)."
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def _tell(sender: str, kept: Kept | None) -> None:
    if kept is None:
        say(f"{sender}: 디스크에 쓰지 못했습니다. 자리를 비우세요.", f"{sender}: the disk did not take it. Make room.")
    elif kept.reason:
        say(f"{sender}: 격리 {kept.digest[:16]} [{kept.reason}]", f"{sender}: quarantined {kept.digest[:16]}")
    elif not kept.known:
        say(f"{sender}: 받음 {kept.digest[:16]}", f"{sender}: received {kept.digest[:16]}")
