"""The lifecycle driven from outside, the bond, the way the process ends."""
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import rclpy
import rclpy.executors
from bond.msg import Status
from lifecycle_msgs.msg import TransitionEvent
from lifecycle_msgs.srv import GetAvailableStates, GetAvailableTransitions
from rclpy.lifecycle import LifecycleNode

from messages import ABORTED, SUCCEEDED, pose, to_pose, two_rooms

CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4
SHUTDOWN_UNCONFIGURED, SHUTDOWN_INACTIVE, SHUTDOWN_ACTIVE = 5, 6, 7
ACROSS = to_pose(pose(8, 2), pose(2, 2))


def test_the_states_and_their_transitions(start, client):
    start()
    events = client.listen(TransitionEvent, 'hrm_planner/transition_event')
    client.wait_for_readers('/hrm_planner/transition_event')
    assert client.state() == 'unconfigured'
    for wrong in (CLEANUP, ACTIVATE, DEACTIVATE, SHUTDOWN_ACTIVE, 99):
        assert not client.change(wrong)
    for transition, state in [(CONFIGURE, 'inactive'), (ACTIVATE, 'active'), (DEACTIVATE, 'inactive'),
                              (CLEANUP, 'unconfigured'), (CONFIGURE, 'inactive'), (ACTIVATE, 'active'),
                              (SHUTDOWN_ACTIVE, 'finalized')]:
        assert client.change(transition)
        assert client.state() == state
    client.until(lambda: len(events) == 14)
    steps = [(e.start_state.label, e.goal_state.label) for e in events[:4]]
    assert steps == [('unconfigured', 'configuring'), ('configuring', 'inactive'),
                     ('inactive', 'activating'), ('activating', 'active')]
    assert not client.change(CONFIGURE)


@pytest.fixture
def rclpy_answers():
    """Asks rclpy's own lifecycle node, `own`, over ROS 2's own middleware."""
    context = rclpy.Context()
    rclpy.init(context=context)
    own = LifecycleNode('own', enable_communication_interface=True, context=context)
    asker = rclpy.create_node('asker', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(own)
    executor.add_node(asker)

    def ask(type_, name):
        service = asker.create_client(type_, name)
        assert service.wait_for_service(10)
        future = service.call_async(type_.Request())
        executor.spin_until_future_complete(future, 10)
        return future.result()
    yield ask
    own.destroy_node()
    asker.destroy_node()
    rclpy.shutdown(context=context)


def test_the_graph_is_that_of_rclpys_own_lifecycle_node(start, client, rclpy_answers):
    start()

    def edges(answer):
        return sorted((t.transition.id, t.transition.label, t.start_state.id, t.start_state.label,
                       t.goal_state.id, t.goal_state.label) for t in answer.available_transitions)
    for service in ('get_transition_graph', 'get_available_transitions'):
        ours = client.call(GetAvailableTransitions, f'hrm_planner/{service}')
        assert edges(ours) == edges(rclpy_answers(GetAvailableTransitions, f'own/{service}'))

    def states(answer):
        return sorted((s.id, s.label) for s in answer.available_states)
    ours = client.call(GetAvailableStates, 'hrm_planner/get_available_states')
    assert states(ours) == states(rclpy_answers(GetAvailableStates, 'own/get_available_states'))


def test_a_node_that_was_cleaned_up_plans_again(planner, client):
    assert client.plan(ACROSS)[0] == SUCCEEDED
    for transition in (DEACTIVATE, CLEANUP, CONFIGURE, ACTIVATE):
        assert client.change(transition)
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_deactivating_ends_running_goals(planner, client):
    client.set(transform_tolerance=2.0)
    handle = client.send(to_pose(pose(8, 2)))
    result = handle.get_result_async()
    client.spin(0.1)
    assert client.change(DEACTIVATE)
    answer = client.wait(result)
    assert answer.status == ABORTED and 'no longer active' in answer.result.error_msg


def test_a_model_that_is_not_there_fails_to_configure_and_says_so(start, client):
    planner = start(parameters={'model': '/no/such/model.safetensors'})
    assert not client.change(CONFIGURE)
    assert client.state() == 'unconfigured'
    planner.wait_for('/no/such/model.safetensors')


def test_autostart(start, client):
    start(parameters={'autostart_node': 'true'})
    assert client.state() == 'active'


def test_the_bond_forms_beats_and_ends_from_either_side(start, client):
    """nav2 3080, 4084, 4693: bring-up aborts for nodes without one."""
    start()
    beats = client.listen(Status, 'bond', 100)
    client.wait_for_readers('/bond', 2)
    client.change(CONFIGURE)
    client.spin(0.3)
    assert beats == []
    client.change(ACTIVATE)
    client.until(lambda: len(beats) >= 10)
    assert all(b.id == 'hrm_planner' and b.active and b.instance_id for b in beats)
    assert beats[0].heartbeat_timeout == 4.0
    begin, count = time.monotonic(), len(beats)
    client.spin(1.0)
    assert 7 <= (len(beats) - count) / (time.monotonic() - begin) <= 13
    # The other side ends it: answered once, then silence.
    other = client.publisher(Status, 'bond', 5)
    client.spin(0.3)
    for active in (True, False):
        other.publish(Status(id='hrm_planner', instance_id='other', active=active, heartbeat_timeout=4.0,
                             heartbeat_period=0.1))
    client.until(lambda: any(b.instance_id != 'other' and not b.active for b in beats))
    del beats[:]
    client.spin(0.5)
    assert beats == []
    # This side ends it.
    client.change(DEACTIVATE)
    client.change(ACTIVATE)
    client.until(lambda: any(b.active for b in beats))
    client.change(DEACTIVATE)
    del beats[:]
    client.until(lambda: any(not b.active for b in beats))
    assert not any(b.active for b in beats)


@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly(start, client, how):
    planner = start()
    client.until(lambda: 'hrm_planner' in client.node_names())
    assert planner.stop(how) == 0
    client.until(lambda: 'hrm_planner' not in client.node_names(), timeout=2)


def test_a_signal_with_running_goals_ends_them(planner, client):
    client.set(transform_tolerance=3.0)
    handle = client.send(to_pose(pose(8, 2)))
    result = handle.get_result_async()
    client.spin(0.2)
    planner.child.send_signal(signal.SIGINT)
    assert client.wait(result).status == ABORTED
    assert planner.stop() == 0


def test_a_node_that_was_killed_is_replaced(start, client, clients):
    """The goal of the killed one has no result; the next node answers."""
    planner = start(parameters={'transform_tolerance': 5.0})
    client.activate()
    client.publish_map(two_rooms())
    client.send(to_pose(pose(8, 2)))
    planner.child.kill()
    planner.child.wait()
    planner.child.returncode = 0  # it was us
    start(remap=['__ns:=/second'])
    second = clients('second')
    second.activate()
    second.publish_map(two_rooms())
    assert second.plan(ACROSS)[0] == SUCCEEDED


GONE = '''
import os, sys
from conftest import BACK_ENDS
from messages import pose, to_pose
client = BACK_ENDS[sys.argv[1]](sys.argv[2]).client()
action = client.action()
for _ in range(20):
    action.send_goal_async(to_pose(pose(8, 2), pose(2, 2)))
client.spin(0.01)
os.kill(os.getpid(), 9)
'''


def test_clients_that_die_with_open_requests_do_not_end_the_node(planner, client, back_end):
    """rclrs stops spinning at the first answer that cannot be sent."""
    for _ in range(3):
        run = subprocess.run([sys.executable, '-c', GONE, back_end.name, back_end.address],
                             cwd=pathlib.Path(__file__).parent, timeout=30)
        assert run.returncode == -signal.SIGKILL
    assert client.plan(ACROSS)[0] == SUCCEEDED
    assert planner.child.poll() is None
