"""One body for each test, two back ends: the planner's node on ROS 2's own middleware, and on Zenoh.

    pytest --back-end dds|zenoh|both

HRM_NODE names the program for DDS (hrm_planner_node), HRM_SERVE that for Zenoh (hrm-planner). Messages are
those of a sourced ROS 2 on both. What only one of them can do, or has, is marked `only('dds', reason='...')`.
"""
import pytest

from client_dds import Dds
from client_zenoh import Zenoh
from messages import two_rooms
from process import Process

BACK_ENDS = {'dds': Dds, 'zenoh': Zenoh}


def pytest_addoption(parser):
    parser.addoption('--back-end', choices=[*BACK_ENDS, 'both'], default='both', help='which to test')


def pytest_configure(config):
    config.addinivalue_line('markers', 'only(back_end, reason): a test of one back end')
    wanted = config.getoption('back_end')
    if wanted != 'both' and BACK_ENDS[wanted].missing():
        raise pytest.UsageError(BACK_ENDS[wanted].missing())


def pytest_generate_tests(metafunc):
    if 'back_end' in metafunc.fixturenames:
        metafunc.parametrize('back_end', BACK_ENDS, indirect=True)


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption('back_end')
    kept, left_out = [], []
    for item in items:
        name = item.callspec.params['back_end']
        only = item.get_closest_marker('only')
        if wanted not in ('both', name) or (only and only.args[0] != name):
            left_out.append(item)
            continue
        if BACK_ENDS[name].missing():
            item.add_marker(pytest.mark.skip(reason=BACK_ENDS[name].missing()))
        kept.append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(autouse=True)
def back_end(request):
    back_end = BACK_ENDS[request.param]()
    yield back_end
    back_end.close()


@pytest.fixture
def clients(back_end):
    """Makes clients, in a namespace and with simulated time where that is asked for."""
    made = []

    def make(*arguments, **more):
        made.append(back_end.client(*arguments, **more))
        return made[-1]
    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(clients):
    return clients()


@pytest.fixture
def start(back_end):
    """Starts nodes; every one of them has to end cleanly."""
    started = []

    def start(**how):
        started.append(Process(back_end.command(**how)))
        return started[-1].wait_for('ready')
    yield start
    for process in started:
        status = process.stop()
        assert status == 0, process.log


@pytest.fixture
def planner(start, client):
    """An active node with a map of two rooms."""
    process = start()
    client.activate()
    client.publish_map(two_rooms())
    process.client = client
    return process
