"""Zenoh alone: what is on the wire, to the byte, and what must not hurt the node when it comes from there."""
import random
import re
import struct
import time
import uuid

import pytest
from action_msgs.msg import GoalStatusArray
from action_msgs.srv import CancelGoal
from lifecycle_msgs.srv import GetState
from nav2_msgs.action import ComputePathThroughPoses
from nav_msgs.msg import Goals, OccupancyGrid, Path
from nav_msgs.srv import GetPlan
from rcl_interfaces.msg import Parameter, ParameterEvent, ParameterType
from rcl_interfaces.srv import GetParameters, GetParameterTypes, SetParametersAtomically
from rclpy.serialization import deserialize_message, serialize_message
from rclpy.time import Time
from unique_identifier_msgs.msg import UUID

import client_zenoh
from client import parameter_value
from client_zenoh import DOMAIN, ROOT, Attachment, type_hash
from messages import ABORTED, CANCELED, LATCHED, SUCCEEDED, points, pose, to_pose, two_rooms

xxhash = pytest.importorskip('xxhash')
pytestmark = pytest.mark.only('zenoh', reason='DDS has a wire of its own')

ACROSS = to_pose(pose(8, 2), pose(2, 2))
DROPPED = 'dropped'  # what the log says of a message that is none


def of_the_node(client, kind):
    return sorted(t for t in client.tokens.copy() if (t.kind, t.node) == (kind, 'hrm_planner'))


def key_of(token):
    return f'{DOMAIN}/{token.topic.strip("/")}/{token.type}/{token.hash}'


def still_plans(planner, client):
    status, result = client.plan(ACROSS)
    assert status == SUCCEEDED, result.error_msg
    assert planner.child.poll() is None, planner.log


def attachment(client, gid=b'\x07' * 16):
    return client.peer.att(1, gid)


# --- what must not hurt ---

def a_map_without_a_door():
    """(the bytes, where the number of cells is): were it taken, there would be no way to the goal."""
    grid = two_rooms(door=False)
    whole = serialize_message(grid)
    at = len(whole) - len(grid.data) - 4
    assert struct.unpack_from('<I', whole, at) == (8000,)
    return whole, at


def with_u32(data, at, value):
    return data[:at] + struct.pack('<I', value) + data[at + 4:]


def broken_maps():
    whole, count = a_map_without_a_door()
    yield from (whole[:n] for n in (0, 1, 3, 4, 5, 11, 12, 16, 20, 40, 77, count, count + 2, count + 4,
                                    len(whole) // 2, len(whole) - 1))
    # Not plain CDR: big endian over a little-endian body, parameter lists, the second version, nothing known.
    yield from (bytes(e) + whole[4:] for e in ((0, 0, 0, 0), (0, 2, 0, 0), (0, 3, 0, 0), (0, 7, 0, 0),
                                               (0, 9, 0, 0), (1, 1, 0, 0), (255, 255, 255, 255)))
    # Four billion cells, or letters of the frame's name, in a few bytes.
    yield with_u32(whole, count, 2**32 - 1)[:count + 14]
    yield with_u32(whole, count, 2**31)[:count + 14]
    yield with_u32(whole, 12, 2**32 - 1)
    yield with_u32(whole, 12, 2**32 - 8)
    yield whole[:count] + struct.pack('<I', 8001) + whole[count + 4:]


def test_maps_that_are_none_are_dropped(planner, client):
    assert client.plan(ACROSS)[0] == SUCCEEDED
    maps = client.publisher(OccupancyGrid, 'map', LATCHED)
    for number, broken in enumerate(broken_maps()):
        maps.sequence += 1
        maps.publish_bytes(broken, client.peer.att(maps.sequence, maps.gid))
        if number % 4 == 0:
            still_plans(planner, client)
    client.spin(0.2)
    still_plans(planner, client)
    assert any(DROPPED in line and 'map' in line for line in planner.lines), planner.log
    client.publish_map(two_rooms(door=False))
    client.spin(0.2)
    assert client.plan(ACROSS)[0] == ABORTED, 'a good one is taken after all these'


def test_a_map_whose_width_and_height_are_lies_is_refused(planner, client):
    """Four billion cells in its header, eight thousand in the message."""
    grid = two_rooms(door=False)
    for grid.info.width, grid.info.height in [(2**16, 2**16), (2**32 - 1, 2**32 - 1), (2**31, 2), (0, 0)]:
        before = len(planner.lines)
        client.publish_map(grid)
        planner.wait_for('refused', after=before)
        still_plans(planner, client)


def test_a_message_of_300_megabytes_is_dropped(planner, client):
    side = 17_321
    grid = two_rooms(door=False)
    grid.info.width = grid.info.height = side
    whole, count = serialize_message(grid), a_map_without_a_door()[1]
    huge = whole[:count] + struct.pack('<I', side * side) + bytes(side * side)
    maps = client.publisher(OccupancyGrid, 'map')
    before = len(planner.lines)

    def said():
        return any('refused' in line or DROPPED in line for line in planner.lines[before:])
    for _ in range(5):
        # Where the link is full, Zenoh drops it on the way.
        maps.publish_bytes(huge, client.peer.att(1, maps.gid))
        end = time.monotonic() + 15
        while not said() and time.monotonic() < end:
            client.spin(0.1)
        if said():
            break
    assert said(), planner.log
    still_plans(planner, client)


def garbage():
    """Bytes of many lengths, as they are and after a good encapsulation header."""
    generator = random.Random(7)
    for size in (0, 1, 3, 4, 5, 64, 5000):
        yield b'\xee\x55' + generator.randbytes(size)
        yield b'\x00\x01\x00\x00' + b'\xff' * min(size, 20) + generator.randbytes(size)


def test_random_bytes_on_every_topic_are_dropped(start, client):
    planner = start(parameters={'subscribe_goal_pose': 'true'})
    client.activate()
    client.publish_map(two_rooms())
    assert client.plan(ACROSS)[0] == SUCCEEDED
    topics = of_the_node(client, 'MS')
    assert {t.topic for t in topics} >= {'/map', '/map_updates', '/tf', '/tf_static', '/scan', '/bond',
                                         '/goal_pose'}
    for token in topics:
        for data in garbage():
            client.session.put(key_of(token), data, attachment=attachment(client))
        client.session.put(key_of(token), b'')
        client.session.delete(key_of(token))
        still_plans(planner, client)
    for token in topics:
        name = token.topic.strip('/')
        client.until(lambda: any(DROPPED in line and name in line for line in planner.lines))


def test_random_bytes_asked_of_every_service_get_no_answer(planner, client):
    services = of_the_node(client, 'SS')
    assert len(services) > 15
    for token in services:
        for data in garbage():
            replies = client.wait(client.query(key_of(token), data, attachment(client), timeout=2))
            if data[:2] != b'\x00\x01':
                assert all(r.payload is None for r in replies), (token.topic, data[:20], replies)
        client.wait(client.query(key_of(token), None, attachment(client), timeout=2))
        assert planner.child.poll() is None, (token.topic, planner.log)
    assert client.state() == 'active'
    still_plans(planner, client)
    assert any(DROPPED in line for line in planner.lines), planner.log


BAD_ATTACHMENTS = [None, b'', b'\x00', bytes(10), bytes(17), bytes(16) + b'\xc8' + bytes(16),
                   bytes(16) + b'\x10' + bytes(15), b'\xff' * 33, b'\xff' * 1000]


def test_messages_with_attachments_that_are_none_do_no_harm(planner, client):
    assert client.plan(ACROSS)[0] == SUCCEEDED
    for bad in BAD_ATTACHMENTS:
        for token in of_the_node(client, 'MS'):
            client.session.put(key_of(token), serialize_message(two_rooms()), attachment=bad)
        still_plans(planner, client)


def test_requests_with_attachments_that_are_none_get_no_answer(planner, client):
    """An answer names its request by what the attachment says; without it there is nobody to answer."""
    request = serialize_message(GetState.Request())
    key = client.key(GetState, 'hrm_planner/get_state')
    good = client.wait(client.query(key, request, attachment(client)))
    assert len(good) == 1 and good[0].payload
    for token in of_the_node(client, 'SS'):
        for bad in BAD_ATTACHMENTS:
            zeros = b'\x00\x01\x00\x00' + bytes(64)
            replies = client.wait(client.query(key_of(token), zeros, bad, timeout=2))
            assert all(r.payload is None for r in replies), (token.topic, bad, replies)
    assert client.state() == 'active'
    still_plans(planner, client)


def test_a_map_of_another_definition_is_named_in_the_log(planner, client):
    """The keys differ by the hash, so nothing arrives: without the line in the log nobody would know why."""
    assert client.plan(ACROSS)[0] == SUCCEEDED
    other = client.publisher(OccupancyGrid, 'map', LATCHED, hash_=f'RIHS01_{"0" * 64}')
    other.publish(two_rooms(door=False))
    planner.wait_for('another definition')
    assert any('another definition' in line and 'map' in line for line in planner.lines), planner.log
    still_plans(planner, client)


def test_graphs_that_make_no_sense_do_no_harm(planner, client):
    liveliness = client.session.liveliness()
    begin, hash_ = f'@ros2_lv/{DOMAIN}', type_hash('nav_msgs/msg/OccupancyGrid')
    good = f'{begin}/{client.peer.zid}/0/99/MP/%/%/x/%map/nav_msgs::msg::dds_::OccupancyGrid_/{hash_}'
    tokens = [liveliness.declare_token(key) for key in (
        begin, f'{begin}/x', f'{begin}/x/y/z/MP', f'{begin}/0/0/0/XX/%/%/x', f'{begin}/0/0/0/MP/%/%/x/%map',
        f'{begin}/0/-1/99999999999999999999/MP/%/%/x/%map/t/h/q', good, f'{good}/:::::',
        f'{good}/9:9:9,99999999999999999999:,:,:,,', f'{good}/::,10:,:,:,,/more', f'{begin}/ä/0/0/NN/%/%/ö',
        f'{begin}/{"a/" * 300}b')]
    client.spin(0.3)
    still_plans(planner, client)
    for token in tokens:
        token.undeclare()
    client.spin(0.1)
    still_plans(planner, client)


def test_a_question_to_everything_does_no_harm(planner, client):
    for key in ('**', f'{DOMAIN}/**', f'{DOMAIN}/compute_path_to_pose/_action/*/**', '@ros2_lv/**'):
        client.wait(client.query(key, None, None, timeout=2))
        client.wait(client.query(key, b'\xff' * 100, attachment(client), timeout=2))
        still_plans(planner, client)


# --- what is on the wire ---

def test_an_answer_repeats_the_requests_number_and_gid(planner, client):
    key, request = client.key(GetState, 'hrm_planner/get_state'), serialize_message(GetState.Request())
    wanted = [(4711, b'\x01' * 16), (-1, bytes(range(16))), (2**62, b'\xff' * 16)]
    begin = time.time_ns()
    asked = [client.query(key, request, client.peer.att(*w)) for w in wanted]
    for future, (sequence, gid) in zip(asked, wanted):
        [reply] = client.wait(future)
        found = Attachment.parse(reply.attachment)
        assert (found.sequence, found.gid) == (sequence, gid)
        assert begin <= found.stamp <= time.time_ns()
        assert reply.payload[:4] == b'\x00\x01\x00\x00'
        assert deserialize_message(reply.payload, GetState.Response).current_state.label == 'active'


def ros_name(dds_type):
    package, kind, _, name = dds_type.split('::')
    assert name.endswith('_')
    return f'{package}/{kind}/{name[:-1]}'


def independent_hash(name):
    """By the files of ROS 2's generators and, where it can, by rosbags: both have to agree."""
    peer = client_zenoh.peer
    for package in ('bond', 'map_msgs', 'tf2_msgs'):
        peer.regdir(package, ROOT / 'msg' / 'system')
    peer.regdir('hrm_planner_msgs', ROOT / 'msg')
    found = type_hash(name)
    if '/msg/' in name:
        assert peer.hash_(name) == found, name
    return found


PUBLISHED = ['plan', 'bond', 'diagnostics', 'parameter_events', 'hrm_planner/report', 'hrm_planner/reasoning',
             'hrm_planner/reasoning_plan', 'hrm_planner/value_field', 'hrm_planner/transition_event',
             'global_costmap/costmap', 'global_costmap/costmap_updates',
             *(f'{a}/_action/{t}' for a in ('compute_path_to_pose', 'compute_path_through_poses')
               for t in ('feedback', 'status'))]
SUBSCRIBED = ['map', 'map_updates', 'tf', 'tf_static', 'scan', 'bond']
SERVED = ['is_path_valid',
          *(f'global_costmap/clear_{how}_global_costmap' for how in ('entirely', 'around', 'except')),
          *(f'{a}/_action/{s}' for a in ('compute_path_to_pose', 'compute_path_through_poses')
            for s in ('send_goal', 'get_result', 'cancel_goal')),
          *(f'hrm_planner/{s}' for s in (
              'get_plan', 'plan_batch', 'change_state', 'get_state', 'get_available_states',
              'get_available_transitions', 'get_transition_graph', 'get_parameters', 'get_parameter_types',
              'set_parameters', 'set_parameters_atomically', 'list_parameters', 'describe_parameters'))]
LATCHED_TOPICS = {'map', 'tf_static', 'global_costmap/costmap', 'compute_path_to_pose/_action/status',
                  'compute_path_through_poses/_action/status'}


def test_the_graph_shows_every_endpoint_as_it_is(planner, client):
    tokens = [t for t in client.tokens.copy() if t.node == 'hrm_planner']
    [session] = {t.session for t in tokens}
    assert re.fullmatch('[0-9a-f]{1,32}', session)
    [node] = [t for t in tokens if t.kind == 'NN']
    assert re.fullmatch(f'@ros2_lv/{DOMAIN}/{session}/[0-9]+/[0-9]+/NN/%/%/hrm_planner', node.key)
    node_id = node.key.split('/')[3]
    by_kind = {'MP': PUBLISHED, 'MS': SUBSCRIBED, 'SS': SERVED}
    for kind, names in by_kind.items():
        missing = {f'/{n}' for n in names} - {t.topic for t in tokens if t.kind == kind}
        assert not missing, (kind, missing)
    ends = [t for t in tokens if t.kind != 'NN']
    assert {t.kind for t in ends} <= {'MP', 'MS', 'SS', 'SC'}
    assert len({t.key.split('/')[4] for t in ends}) == len(ends), 'entity ids are its own for each'
    number = '[0-9]*'
    qos = (f'[12]?:[12]?:[12]?,{number}:{number},{number}:{number},{number}:[123]?,{number},{number}')
    for token in ends:
        part = token.key.split('/')
        assert len(part) == 13 and part[3] == node_id and part[6] == '%' and part[7] == '%', token.key
        assert token.hash == independent_hash(ros_name(token.type)), token.key
        assert re.fullmatch(qos, token.qos), token.key
        durability = token.qos.split(':')[1]
        assert (durability == '1') == (token.topic.strip('/') in LATCHED_TOPICS), token.key
    [scan] = [t for t in ends if (t.kind, t.topic) == ('MS', '/scan')]
    assert scan.qos.startswith('2:'), 'sensor data is best effort'
    [costmap] = [t for t in ends if (t.kind, t.topic) == ('MP', '/global_costmap/costmap')]
    assert costmap.qos == ':1:,1:,:,:,,'


def test_a_namespace_is_in_keys_and_tokens(start, clients):
    start(remap=['__ns:=/fleet/robot1'])
    client = clients('/fleet/robot1').activate()
    client.publish_map(two_rooms())
    assert client.plan(ACROSS)[0] == SUCCEEDED
    assert {t.namespace for t in client.tokens.copy() if t.node == 'hrm_planner'} == {'/fleet/robot1'}
    assert '/fleet/robot1/plan' in client.topics() and '/tf' in client.topics()


def gid_of(token):
    digest = xxhash.xxh3_128(token.key.encode()).intdigest()
    return struct.pack('<QQ', digest & (2**64 - 1), digest >> 64)


def test_every_message_has_its_number_and_its_publishers_gid(planner, client):
    plans = client.listen_raw(Path, 'plan')
    client.wait_for_readers('/plan')
    client.spin(0.3)
    begin = time.time_ns()
    for count in (1, 2, 3):
        client.plan(ACROSS)
        client.until(lambda: len(plans) == count)
    found = [Attachment.parse(p.attachment) for p in plans]
    assert all(found), plans
    first = found[0].sequence
    assert [f.sequence for f in found] == [first, first + 1, first + 2]
    assert begin <= found[0].stamp <= found[1].stamp <= found[2].stamp <= time.time_ns()
    [token] = [t for t in of_the_node(client, 'MP') if t.topic == '/plan']
    assert {f.gid for f in found} == {gid_of(token)}
    assert all(p.payload[:4] == b'\x00\x01\x00\x00' for p in plans)


def test_who_comes_late_gets_what_is_latched(planner, client, clients):
    handle = client.send(ACROSS)
    assert client.wait(handle.get_result_async()).status == SUCCEEDED
    client.spin(0.5)
    late = clients()
    costmaps = late.listen(OccupancyGrid, 'global_costmap/costmap', LATCHED)
    states = late.listen(GoalStatusArray, 'compute_path_to_pose/_action/status', LATCHED)
    plans = late.listen(Path, 'plan')
    late.until(lambda: costmaps and states)
    assert (costmaps[-1].info.width, costmaps[-1].info.height) == (100, 80)
    [state] = [s for s in states[-1].status_list if s.goal_info.goal_id == handle.goal_id]
    assert state.status == SUCCEEDED and state.goal_info.stamp.sec > 0
    late.spin(0.3)
    assert plans == [], 'plans are not latched'


def test_a_volatile_map_arrives(start, client):
    """On DDS it would not: see test_a_volatile_map_is_not_silently_missed."""
    start()
    client.activate()
    client.wait_for_readers('/map')
    client.spin(0.3)
    client.publish_map(two_rooms(), 1)
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_each_of_two_clients_gets_its_own_answers(planner, client, clients):
    """Their sequence numbers are the same; only the gid tells them apart."""
    other = clients()
    client.plan(ACROSS)
    # They wait in line, and their time counts from when they came.
    assert client.set(max_planning_time=30.0) == ['']
    asked = []
    for i in range(5):
        for who, y in ((client, 1 + 0.2 * i), (other, 4 + 0.2 * i)):
            assert who.has_service(GetPlan, 'hrm_planner/get_plan')
            request = GetPlan.Request(start=pose(2, 2), goal=pose(8, y))
            asked.append((who, y, who.ask(GetPlan, 'hrm_planner/get_plan', request)))
    for who, y, future in asked:
        assert points(who.wait(future).plan)[-1] == pytest.approx((8, y))
    for who, y in ((client, 1.0), (other, 5.0)):
        status, result = who.plan(to_pose(pose(8, y), pose(2, 2)))
        assert status == SUCCEEDED and points(result.path)[-1] == (8, y)


def test_a_result_is_kept_for_who_asks_later(planner, client, clients):
    handle = client.send(ACROSS)
    client.spin(0.7)
    first = client.wait(handle.get_result_async())
    again = client.wait(handle.get_result_async())
    by_another = clients()
    other = by_another.wait(by_another.action().get_result_async(handle.goal_id))
    assert first.status == SUCCEEDED and first == again == other


def test_many_may_wait_for_one_result(planner, client, clients):
    other = clients()
    handle = client.send(slow(client))
    waiting = [handle.get_result_async(), handle.get_result_async(),
               other.action().get_result_async(handle.goal_id)]
    client.spin(0.2)
    assert not any(future.done() for future in waiting)
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    assert [client.wait(future).status for future in waiting] == [SUCCEEDED] * 3


def test_the_result_of_a_goal_that_never_was_is_unknown(planner, client):
    answer = client.wait(client.action().get_result_async(UUID(uuid=list(uuid.uuid4().bytes))))
    assert answer.status == 0 and not answer.result.path.poses


def test_a_goals_id_is_taken_once(planner, client):
    action = client.action()
    request = action.impl.SendGoalService.Request(goal_id=UUID(uuid=[9] * 16), goal=slow(client))
    name = f'{action.name}/send_goal'
    answers = [client.wait(client.ask(action.impl.SendGoalService, name, request)) for _ in range(2)]
    assert [a.accepted for a in answers] == [True, False]


def slow(client):
    """A goal that waits for a transform of the robot for as long as the tolerance is."""
    assert client.set(transform_tolerance=3.0) == ['']
    return to_pose(pose(8, 2))


def test_no_id_cancels_all_goals_of_that_action(planner, client):
    handle = client.send(slow(client))
    goal = ComputePathThroughPoses.Goal(goals=Goals(goals=[pose(8, 2)]))
    through = client.send(goal, ComputePathThroughPoses)
    results = [handle.get_result_async(), through.get_result_async()]
    answer = client.wait(client.action().cancel_goal_async())
    assert answer.return_code == CancelGoal.Response.ERROR_NONE
    assert [g.goal_id for g in answer.goals_canceling] == [handle.goal_id]
    assert client.wait(results[0]).status == CANCELED
    client.spin(0.2)
    assert not results[1].done(), 'the other action has goals of its own'
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    assert client.wait(results[1]).status == SUCCEEDED


def test_a_time_cancels_the_goals_from_before_it(planner, client):
    handle = client.send(slow(client))
    result = handle.get_result_async()
    answer = client.wait(client.action().cancel_goal_async(before=Time(seconds=1).to_msg()))
    assert answer.goals_canceling == []
    client.spin(0.2)
    assert not result.done()
    answer = client.wait(client.action().cancel_goal_async(before=client.now().to_msg()))
    assert [g.goal_id for g in answer.goals_canceling] == [handle.goal_id]
    assert client.wait(result).status == CANCELED


def test_cancelling_a_goal_that_never_was_says_so(planner, client):
    answer = client.wait(client.action().cancel_goal_async(UUID(uuid=[5] * 16)))
    assert answer.return_code == CancelGoal.Response.ERROR_UNKNOWN_GOAL_ID
    assert answer.goals_canceling == []


def test_the_states_of_a_goal_are_published(planner, client):
    states = client.listen(GoalStatusArray, 'compute_path_to_pose/_action/status', LATCHED)
    handle = client.send(ACROSS)
    client.wait(handle.get_result_async())

    def seen():
        return [s.status for m in states for s in m.status_list if s.goal_info.goal_id == handle.goal_id]
    client.until(lambda: SUCCEEDED in seen())
    assert seen() == sorted(seen()) and set(seen()) <= {1, 2, SUCCEEDED}


def test_parameters_are_read_and_set_together(planner, client):
    names = ['robot_radius', 'halt', 'planner_plugins', 'obstacle_layer.enabled', 'no_such']
    values = client.call(GetParameters, 'hrm_planner/get_parameters', names=names[:4]).values
    assert values[0].double_value == pytest.approx(0.22) and values[3].bool_value
    assert values[1].type == ParameterType.PARAMETER_STRING and values[2].string_array_value
    types = client.call(GetParameterTypes, 'hrm_planner/get_parameter_types', names=names).types
    assert list(types)[:4] == [v.type for v in values]

    def set_together(**parameters):
        wanted = [Parameter(name=n, value=parameter_value(v)) for n, v in parameters.items()]
        return client.call(SetParametersAtomically, 'hrm_planner/set_parameters_atomically',
                           parameters=wanted).result

    def tolerance():
        answer = client.call(GetParameters, 'hrm_planner/get_parameters', names=['tolerance'])
        return answer.values[0].double_value
    result = set_together(tolerance=0.7, robot_radius=-1.0)
    assert not result.successful and 'robot_radius' in result.reason
    assert tolerance() != pytest.approx(0.7), 'all or nothing'
    assert set_together(tolerance=0.7, robot_radius=0.25).successful
    assert tolerance() == pytest.approx(0.7)


def test_a_changed_parameter_is_published(planner, client):
    events = client.listen(ParameterEvent, '/parameter_events', 1000)
    client.wait_for_readers('/parameter_events')
    client.spin(0.3)
    del events[:]
    assert all(client.set(robot_radius=-1.0))
    assert client.set(robot_radius=0.3) == ['']
    client.until(lambda: events)
    client.spin(0.2)
    [event] = events
    assert event.node == '/hrm_planner' and event.stamp.sec > 0
    [changed] = event.changed_parameters
    assert changed.name == 'robot_radius' and changed.value.double_value == pytest.approx(0.3)
    assert not event.new_parameters and not event.deleted_parameters
