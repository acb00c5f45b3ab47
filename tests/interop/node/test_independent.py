"""Zenoh alone: an existing implementation of ROS 2 on Zenoh, neither ours nor made for these tests.

It is zenoh-ros2-sdk of PyPI: publishers, subscribers, service clients and lists of the graph, in Python.
Keys, liveliness tokens, attachments and type hashes are its own; it gets the definitions that ROS 2 has
installed, and no hash. What its version 0.1.8 cannot do is not tested here:

- It has no actions, and no hashes of an action's own types. Those of cancelling and of states are ordinary.
- Its publishers keep nothing for who comes late: the map is published once the node listens.
- Its subscribers get what is latched, but only where the topic's name is one word (for any other name they
  look for a token that is not mangled): the costmap is renamed.
- Its hashes are wrong of definitions with a bounded sequence of messages (describe_parameters) and of those
  with a field of an empty message (the services that clear the costmap).

It is a peer, as `rmw_zenoh` is, but where it asks for tokens, as it does for its lists and for what is
latched: a peer that asks by way of a router gets no answer now and then (Zenoh 1.10.2, also with nothing of
ours in between). There it is a client.
"""
import re
import time

import pytest
from action_msgs.msg import GoalInfo, GoalStatusArray
from action_msgs.srv import CancelGoal
from ament_index_python.packages import get_package_share_path
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.msg import Transition
from nav2_msgs.srv import IsPathValid
from nav_msgs.msg import OccupancyGrid, Path
from nav_msgs.srv import GetPlan
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.serialization import serialize_message
from rclpy.time import Time

from client import Client
from client_zenoh import is_latched, qos_profile, ros_type
from messages import CANCELED, LATCHED, points, pose, to_pose, two_rooms

sdk = pytest.importorskip('zenoh_ros2_sdk', exc_type=ImportError)
pytestmark = pytest.mark.only('zenoh', reason='it speaks nothing else')
asks_for_tokens = pytest.mark.parametrize('stranger', ['client'], indirect=True)

PACKAGES = ['action_msgs', 'builtin_interfaces', 'geometry_msgs', 'lifecycle_msgs', 'nav2_msgs', 'nav_msgs',
            'rcl_interfaces', 'std_msgs', 'tf2_msgs', 'unique_identifier_msgs']


@pytest.fixture(scope='module')
def definitions(tmp_path_factory):
    """Those that ROS 2 has installed, in one folder and in the words that the SDK understands."""
    root = tmp_path_factory.mktemp('definitions')
    for package in PACKAGES:
        share = get_package_share_path(package)
        for file in [*share.glob('msg/*.msg'), *share.glob('srv/*.srv')]:
            text = file.read_text()
            if file.suffix == '.srv':
                # It takes no request without a word, and there no type without its package.
                text = '# A service.\n' + re.sub('^(?=[A-Z])', f'{package}/', text, flags=re.MULTILINE)
            to = root / file.relative_to(share.parent)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(text)
    return root


@pytest.fixture
def stranger(request, back_end, definitions, monkeypatch):
    registry = sdk.message_registry
    monkeypatch.setattr(registry, '_registry', registry.MessageRegistry(definitions))
    # It would look on the internet for what it lacks.
    monkeypatch.setattr(registry, 'get_repository_for_package', lambda package: None)
    monkeypatch.delenv('ZENOH_SESSION_CONFIG_URI', raising=False)
    monkeypatch.setenv('ZENOH_CONFIG_OVERRIDE', f'mode="{getattr(request, "param", "peer")}"')
    stranger = Stranger(back_end.address)
    yield stranger
    stranger.close()


class Stranger(Client):
    """The SDK at the router of a test: what goes in are messages of ROS, what comes out are its own."""

    def __init__(self, address):
        host, port = address.removeprefix('tcp/').split(':')
        self.router = {'router_ip': host, 'router_port': int(port)}
        self.session = sdk.ZenohSession.get_instance(**self.router)
        self.ends = {}

    def close(self):
        for end in self.ends.values():
            end.close()
        self.session.close()

    def now(self):
        return Time(nanoseconds=time.time_ns())

    def turn(self):
        time.sleep(0.005)

    def end(self, kind, type_, name, *arguments, **more):
        """A publisher, a subscriber or the client of a service, which is made once."""
        if (kind, name) not in self.ends:
            full = name if name.startswith('/') else f'/{name}'
            self.ends[kind, name] = kind(full, ros_type(type_), *arguments, **self.router, **more)
        return self.ends[kind, name]

    def fields(self, message, type_):
        return vars(self.session.store.deserialize_cdr(serialize_message(message), type_))

    def qos(self, qos):
        durability = sdk.qos.QosDurability
        return sdk.qos.QosProfile(
            durability=durability.TRANSIENT_LOCAL if is_latched(qos) else durability.VOLATILE,
            history_depth=qos_profile(qos).depth)

    def call(self, type_, name, **fields):
        service = self.end(sdk.ROS2ServiceClient, type_, name)
        self.until(lambda: service.querier.matching_status.matching)
        answer = service.call(**self.fields(type_.Request(**fields), service.request_store_type))
        assert answer is not None, f'{name} does not answer'
        return answer

    def listen(self, type_, name, qos=10):
        got = []
        self.end(sdk.ROS2Subscriber, type_, name, got.append, qos=self.qos(qos))
        return got

    def publisher(self, type_, name, qos=10):
        return Publisher(self, self.end(sdk.ROS2Publisher, type_, name, qos=self.qos(qos)))


class Publisher:
    def __init__(self, stranger, publisher):
        self.stranger, self.publisher = stranger, publisher

    def publish(self, message):
        self.stranger.until(lambda: self.publisher.pub.matching_status.matching)
        self.publisher.publish(**self.stranger.fields(message, self.publisher.msg_type))


@pytest.fixture
def mapped(start, stranger):
    """An active node with a map of two rooms, all by the SDK."""
    process = start(parameters={'subscribe_goal_pose': 'true'}, remap=['global_costmap/costmap:=costmap'])
    stranger.activate()
    stranger.publish_map(two_rooms())
    stranger.until(lambda: plan(stranger))
    yield process
    assert not any('another definition' in line for line in process.lines), process.log


def plan(stranger):
    answer = stranger.call(GetPlan, 'hrm_planner/get_plan', start=pose(2, 2), goal=pose(8, 2))
    return points(answer.plan)


def path_of(places):
    path = Path(poses=[pose(x, y) for x, y in places])
    path.header.frame_id = 'map'
    return path


def test_it_drives_the_lifecycle(start, stranger):
    start()
    assert stranger.state() == 'unconfigured'
    assert not stranger.change(Transition.TRANSITION_ACTIVATE)
    assert stranger.activate().state() == 'active'
    assert stranger.change(Transition.TRANSITION_DEACTIVATE)
    assert stranger.state() == 'inactive'


def test_its_map_is_planned_on(mapped, stranger):
    found = plan(stranger)
    assert found[0] == (2, 2) and found[-1] == (8, 2)
    assert all(5.5 < y < 7.5 for x, y in found if 4.9 < x < 5.1), 'through the door'
    stranger.publish_map(two_rooms(door=False))
    stranger.until(lambda: not plan(stranger))
    stranger.publish_map(two_rooms())
    stranger.until(lambda: plan(stranger))


def test_it_gets_the_plan_to_its_goal(mapped, stranger):
    plans = stranger.listen(Path, 'plan')
    goals = stranger.publisher(PoseStamped, 'goal_pose')
    stranger.publish_tf('map', 'base_link', 2.0, 2.0)
    stranger.spin(0.3)
    stranger.publish_tf('map', 'base_link', 2.0, 2.0)
    goals.publish(pose(8, 2))
    stranger.until(lambda: plans)
    assert plans[-1].header.frame_id == 'map' and points(plans[-1])[-1] == (8, 2)


@asks_for_tokens
def test_it_gets_the_latched_costmap(mapped, stranger):
    stranger.spin(0.3)
    costmaps = stranger.listen(OccupancyGrid, 'costmap', LATCHED)
    assert costmaps, 'it asks the cache while the subscriber is made'
    grid = costmaps[-1]
    assert (grid.info.width, grid.info.height) == (100, 80)
    assert grid.data[20 * 100 + 49] == 100 and grid.data[20 * 100 + 20] == 0


def test_its_requests_are_answered(mapped, stranger):
    assert stranger.call(IsPathValid, 'is_path_valid', path=path_of(plan(stranger))).is_valid
    through = path_of([(2 + 0.1 * i, 2) for i in range(61)])
    answer = stranger.call(IsPathValid, 'is_path_valid', path=through)
    assert not answer.is_valid and 29 in answer.invalid_pose_indices
    names = stranger.call(ListParameters, 'hrm_planner/list_parameters').result.names
    assert {'robot_radius', 'obstacle_layer.enabled'} <= set(names)
    radius, plugins = stranger.call(GetParameters, 'hrm_planner/get_parameters',
                                    names=['robot_radius', 'planner_plugins']).values
    assert radius.double_value == pytest.approx(0.22) and plugins.string_array_value


def test_it_cancels_a_goal_and_sees_its_states(mapped, stranger, client):
    name = 'compute_path_to_pose/_action'
    states = stranger.listen(GoalStatusArray, f'{name}/status')
    stranger.spin(0.3)
    # It waits for the robot's transform.
    assert client.set(transform_tolerance=5.0) == ['']
    handle = client.send(to_pose(pose(8, 2)))
    result = handle.get_result_async()
    answer = stranger.call(CancelGoal, f'{name}/cancel_goal', goal_info=GoalInfo(goal_id=handle.goal_id))
    assert [list(g.goal_id.uuid) for g in answer.goals_canceling] == [list(handle.goal_id.uuid)]
    assert answer.return_code == CancelGoal.Response.ERROR_NONE
    assert client.wait(result).status == CANCELED
    stranger.until(lambda: states and [s.status for s in states[-1].status_list] == [CANCELED])
    answer = stranger.call(CancelGoal, f'{name}/cancel_goal', goal_info=GoalInfo(goal_id=handle.goal_id))
    assert answer.return_code == CancelGoal.Response.ERROR_GOAL_TERMINATED


@asks_for_tokens
def test_it_lists_the_graph(mapped, stranger):
    topics = dict(sdk.get_topic_names_and_types(**stranger.router))
    for name, type_ in [('/plan', 'nav_msgs/msg/Path'), ('/map', 'nav_msgs/msg/OccupancyGrid'),
                        ('/costmap', 'nav_msgs/msg/OccupancyGrid'), ('/tf', 'tf2_msgs/msg/TFMessage'),
                        ('/goal_pose', 'geometry_msgs/msg/PoseStamped'),
                        ('/hrm_planner/report', 'hrm_planner_msgs/msg/PlanReport'),
                        ('/compute_path_to_pose/_action/status', 'action_msgs/msg/GoalStatusArray'),
                        ('/compute_path_to_pose/_action/feedback',
                         'nav2_msgs/action/ComputePathToPose_FeedbackMessage')]:
        assert topics[name] == [type_], name
    services = dict(sdk.get_service_names_and_types(**stranger.router))
    for name, type_ in [('/is_path_valid', 'nav2_msgs/srv/IsPathValid'),
                        ('/hrm_planner/get_plan', 'nav_msgs/srv/GetPlan'),
                        ('/hrm_planner/change_state', 'lifecycle_msgs/srv/ChangeState'),
                        ('/hrm_planner/list_parameters', 'rcl_interfaces/srv/ListParameters'),
                        ('/compute_path_to_pose/_action/cancel_goal', 'action_msgs/srv/CancelGoal'),
                        ('/compute_path_to_pose/_action/send_goal',
                         'nav2_msgs/action/ComputePathToPose_SendGoal')]:
        assert services[name] == [type_], name


@asks_for_tokens
def test_it_knows_types_by_the_hashes_that_it_computes(mapped, stranger):
    for topic, type_ in [('/plan', Path), ('/costmap', OccupancyGrid),
                         ('/compute_path_to_pose/_action/status', GoalStatusArray)]:
        stranger.listen(type_, topic)
        info = sdk.get_topic_info(topic, verbose=True, **stranger.router)
        [publisher] = info.publishers
        assert publisher.node_name == 'hrm_planner' and publisher.node_namespace == '/'
        assert publisher.type_hash == stranger.end(sdk.ROS2Subscriber, type_, topic).type_hash
        is_kept = sdk.qos.QosProfile.decode(publisher.qos).durability == sdk.qos.QosDurability.TRANSIENT_LOCAL
        assert is_kept == (topic != '/plan')
    for name, type_ in [('/is_path_valid', IsPathValid), ('/hrm_planner/get_plan', GetPlan),
                        ('/hrm_planner/list_parameters', ListParameters),
                        ('/compute_path_to_pose/_action/cancel_goal', CancelGoal)]:
        [server] = sdk.get_service_info(name, verbose=True, **stranger.router).servers
        assert server.type_hash == stranger.end(sdk.ROS2ServiceClient, type_, name).type_hash
