"""A folder whose recipe asks for a sample of frames: run, received from the console, looked through, offered or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deid.frame_cases import FILE
from enclave import clock
from enclave.cli import ansim
from enclave.commands import frame_sample, samples
from enclave.commands.frame_drawing import FRAMES
from enclave.errors import Conflict, EnclaveError
from enclave.queries import dataset as queries
from enclave.states import SampleState, SnapshotState
from tests.enclave.portal.test_whole_way_of_pictures import Chain
from tests.enclave.portal.world import World

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def chain(world: World, tmp_path: Path) -> Chain:
    made = Chain(world, tmp_path)
    recipe = made.clinic.recipe
    recipe.write_text(recipe.read_text() + "gates: {frame_sample: {size: 4, min_recall: 0.5, confidence: 0.5}}\n")
    return made


def receive(chain: Chain, folder: Path, *more: object) -> Result:
    words = ["snapshot", "receive", str(folder), *map(str, more)]
    return CliRunner().invoke(ansim, words, env={"ANSIM_HOME": str(chain.world.settings.home)})


def code(refused: Result) -> str:
    assert isinstance(refused.exception, EnclaveError), refused.output
    return refused.exception.code


def test_a_run_is_received_with_its_frames_and_offered_once_they_were_seen(chain: Chain, tmp_path: Path) -> None:
    world, private = chain.world, tmp_path / "private"
    folder = chain.deid("run", "--private", str(private))
    without = receive(chain, folder)
    assert code(without) == "sample.no-frames"
    other = receive(chain, folder, "--frames", private, "--source", tmp_path / "hospital/keys")
    assert (code(other), "A-0001" in str(other.exception)) == ("sample.other-frames", False)
    done = receive(chain, folder, "--frames", private, "--source", chain.clinic.source)
    assert (done.exit_code, FILE in done.output, private.exists()) == (0, True, False), done.output
    steward = world.actor("suyeon")
    for number in range(1, 5):
        seen = frame_sample.look(
            world.store, world.portal.vault, steward, snapshot_id=folder.name, number=number, now=clock.now()
        )
        assert (seen.why, seen.pair is not None) == ("", True)
        with pytest.raises(Conflict) as raised:
            chain.offered(folder)
        assert raised.value.code == "sample.not-passed"
        frame_sample.judge(
            world.store, world.portal.vault, steward, snapshot_id=folder.name, number=number, missed={}, places=[],
            note="", now=clock.now(),
        )  # fmt: skip
    assert samples.close_sample(world.store, FRAMES, steward, snapshot_id=folder.name, now=clock.now()).passed
    chain.offered(folder)
    assert queries.snapshot(world.store, steward, folder.name).state is SnapshotState.PUBLISHED
    way = queries.dossier(world.store, steward, folder.name, now=clock.now())
    assert way.frames is not None
    assert way.frames.state is SampleState.PASSED
