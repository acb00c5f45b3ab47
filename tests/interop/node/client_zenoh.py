"""The back end of Zenoh: `hrm-planner serve`, and a client of independent parts on the other side.

What goes over the wire comes from what shares nothing with the node: keys, liveliness tokens and
attachments from the test peer (HRM_ZENOH_PEER), messages from ROS 2's own serialization, type hashes from
the files that ROS 2's own generators installed beside the messages.
"""
import collections
import functools
import importlib.util
import json
import os
import pathlib
import socket
import struct
import time
import uuid
from concurrent.futures import Future

from action_msgs.msg import GoalInfo
from action_msgs.srv import CancelGoal
from nav2_msgs.action import ComputePathToPose
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from unique_identifier_msgs.msg import UUID

from client import ACTION_NAMES, Client
from process import ros_arguments

ROOT = pathlib.Path(__file__).resolve().parents[3]
PEER = pathlib.Path(os.environ.get('HRM_ZENOH_PEER', ROOT.parent / 'shared' / 'zenoh' / 'peer.py'))
DOMAIN = int(os.environ.get('ROS_DOMAIN_ID', '0'))


def load_peer():
    if not PEER.is_file():
        raise OSError(f'{PEER} is not there (HRM_ZENOH_PEER)')
    spec = importlib.util.spec_from_file_location('zenoh_peer', PEER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


try:
    import zenoh
    from zenoh.ext import (CacheConfig, HistoryConfig, MissDetectionConfig, declare_advanced_publisher,
                           declare_advanced_subscriber)
    peer = load_peer()
    MISSING = ''
except (ImportError, OSError) as error:
    MISSING = f'the Zenoh client cannot be made: {error}'


class Zenoh:
    """A router of its own for every test, so that no node meets those of earlier tests."""

    name = 'zenoh'
    program = os.environ.get('HRM_SERVE', '')

    @classmethod
    def missing(cls):
        """Why it cannot be tested; empty where it can."""
        return MISSING or ('' if cls.program else 'HRM_SERVE names no hrm-planner')

    def __init__(self, address=''):
        """Joins the router at an address, or begins a new one."""
        self.address, self.hub = address, None
        if not address:
            with socket.socket() as probe:
                probe.bind(('127.0.0.1', 0))
                self.address = f'tcp/127.0.0.1:{probe.getsockname()[1]}'
            config = zenoh.Config()
            config.insert_json5('mode', '"router"')
            config.insert_json5('scouting/multicast/enabled', 'false')
            config.insert_json5('listen/endpoints', json.dumps([self.address]))
            self.hub = zenoh.open(config)

    def close(self):
        if self.hub:
            self.hub.close()

    def command(self, file=None, parameters=None, remap=()):
        """The command line of a node, which waits to be configured unless the test says otherwise."""
        parameters = dict(parameters or {})
        text = pathlib.Path(file).read_text() if file else ''
        if 'autostart_node' not in text:
            parameters.setdefault('autostart_node', 'false')
        file = ['--config', str(file)] if file else []
        return [self.program, 'serve', '--connect', self.address, *file, *ros_arguments(parameters, remap)]

    def client(self, namespace='', use_sim_time=False):
        return ZenohClient(self.address, namespace, use_sim_time)


# --- types ---

def ros_type(type_):
    """The name ROS has for a Python class: nav_msgs/msg/OccupancyGrid."""
    package, kind = type_.__module__.split('.')[:2]
    return f'{package}/{kind}/{type_.__name__}'


@functools.cache
def type_hash(name):
    """The hash of a message or service type, as ROS 2's generators wrote it down."""
    package, kind, short = name.split('/')
    for prefix in os.environ['AMENT_PREFIX_PATH'].split(':'):
        file = pathlib.Path(prefix) / 'share' / package / kind / f'{short.split("_")[0]}.json'
        if file.exists():
            hashes = json.loads(file.read_text())['type_hashes']
            return {h['type_name']: h['hash_string'] for h in hashes}[name]
    raise LookupError(f'no description of {name} is installed')


def qos_profile(qos):
    return QoSProfile(depth=qos) if isinstance(qos, int) else qos


def is_latched(qos):
    return qos_profile(qos).durability == DurabilityPolicy.TRANSIENT_LOCAL


def is_best_effort(qos):
    return qos_profile(qos).reliability == ReliabilityPolicy.BEST_EFFORT


def qos_field(qos):
    """As liveliness tokens have it."""
    return (f'{2 if is_best_effort(qos) else ""}:{1 if is_latched(qos) else ""}:,{qos_profile(qos).depth}'
            ':,:,:,,')


class Token(collections.namedtuple('Token', 'key session kind namespace node topic type hash qos')):
    """What a liveliness token says."""

    @classmethod
    def parse(cls, key):
        part = key.split('/') + [''] * 13
        namespace, topic = part[7].replace('%', '/'), part[9].replace('%', '/')
        return cls(key, part[2], part[5], namespace, part[8], topic, *part[10:13])


class Attachment(collections.namedtuple('Attachment', 'sequence stamp gid')):
    """What comes with every message: None where it is not one."""

    @classmethod
    def parse(cls, data):
        if data is None or len(data) != 33 or data[16] != 16:
            return None
        return cls(*struct.unpack('<qq', data[:16]), data[17:])


Sample = collections.namedtuple('Sample', 'payload attachment')


class NoAnswer(AssertionError):
    """A query ended without a reply, or with an error."""


# --- the client ---

class ZenohClient(Client):
    """A Zenoh session that looks like a ROS 2 node."""

    def __init__(self, address, namespace='', use_sim_time=False):
        self.namespace = '/' + namespace.strip('/')
        self.peer = peer.Node('client', connect=address, ns=self.namespace)
        self.session = self.peer.s
        self.tokens = set()
        self.keep = [self.session.liveliness().declare_subscriber(f'@ros2_lv/{DOMAIN}/**', self._on_token,
                                                                  history=True)]
        self.clients = {}
        self.publishers = {}
        self.errors = []
        self.clock = self.listen(Clock, '/clock') if use_sim_time else None

    def close(self):
        self.session.close()
        assert not self.errors, self.errors

    def resolve(self, name):
        return name if name.startswith('/') else f'{self.namespace.rstrip("/")}/{name}'

    def key(self, type_, name, hash_=None):
        return peer.key(self.resolve(name), ros_type(type_), hash_ or type_hash(ros_type(type_)))

    # --- waiting ---

    def now(self):
        if self.clock is not None:
            return Time.from_msg(self.clock[-1].clock) if self.clock else Time()
        return Time(nanoseconds=time.time_ns())

    def turn(self):
        time.sleep(0.005)

    # --- the graph ---

    def _on_token(self, sample):
        token = Token.parse(str(sample.key_expr))
        (self.tokens.add if sample.kind == zenoh.SampleKind.PUT else self.tokens.discard)(token)

    def _tokens(self, kind, topic=None):
        return [t for t in self.tokens.copy() if t.kind == kind and topic in (None, t.topic)]

    def node_names(self):
        return [t.node for t in self._tokens('NN')]

    def topics(self):
        return sorted({t.topic for kind in ('MP', 'MS') for t in self._tokens(kind)})

    def readers(self, topic):
        return len(self._tokens('MS', topic))

    # --- services ---

    def has_service(self, type_, name, timeout=10):
        end = time.monotonic() + timeout
        while not any(t.hash == type_hash(ros_type(type_)) for t in self._tokens('SS', self.resolve(name))):
            if time.monotonic() > end:
                return False
            self.turn()
        return True

    def call(self, type_, name, timeout=5, **fields):
        assert self.has_service(type_, name), f'no service {name}'
        return self.wait(self.ask(type_, name, type_.Request(**fields), timeout=timeout), timeout + 1)

    def ask(self, type_, name, request, timeout=60, then=lambda answer: answer):
        """The future of an answer, which has to name the request that it answers."""
        key = self.key(type_, name)
        if key not in self.clients:
            token = self.peer.token('SC', self.resolve(name), ros_type(type_), type_hash(ros_type(type_)))
            self.clients[key] = [token, 0]
        self.clients[key][1] += 1
        gid, sequence = self.clients[key]

        def take(replies):
            if len(replies) != 1 or replies[0].payload is None:
                raise NoAnswer(f'{name} does not answer: {replies}')
            attachment = Attachment.parse(replies[0].attachment)
            assert attachment and attachment[::2] == (sequence, gid), f'{name}: an answer to {attachment}'
            return then(deserialize_message(replies[0].payload, type_.Response))
        return self.query(key, serialize_message(request), self.peer.att(sequence, gid), timeout, take)

    def query(self, key, payload, attachment, timeout=5, then=lambda replies: replies):
        """The future of all replies to any bytes; an error is a reply without a payload."""
        replies, future = [], Future()

        def on_reply(reply):
            if reply.ok is None:
                replies.append(Sample(None, reply.err.payload.to_bytes()))
            else:
                replies.append(sample_of(reply.ok))

        def on_end():
            try:
                future.set_result(then(replies))
            except Exception as error:  # shown where the future is waited for
                future.set_exception(error)
        self.session.get(key, zenoh.handlers.Callback(on_reply, on_end), payload=payload,
                         attachment=attachment, target=zenoh.QueryTarget.ALL_COMPLETE,
                         consolidation=zenoh.ConsolidationMode.NONE, timeout=timeout)
        return future

    # --- topics ---

    def listen(self, type_, name, qos=10):
        got = []

        def take(sample):
            got.append(deserialize_message(sample.payload, type_))
        self.listen_raw(type_, name, qos, take)
        return got

    def listen_raw(self, type_, name, qos=10, take=None):
        """What comes as bytes, with what came along."""
        got = []
        take = take or got.append

        def on_sample(sample):
            try:
                take(sample_of(sample))
            except Exception as error:  # on Zenoh's thread; the test ends with it
                self.errors.append(f'{name}: {error}')
        self.peer.token('MS', self.resolve(name), ros_type(type_), type_hash(ros_type(type_)), qos_field(qos))
        how = (dict(history=HistoryConfig(detect_late_publishers=True), subscriber_detection=True)
               if is_latched(qos) else {})
        self.keep.append(declare_advanced_subscriber(self.session, self.key(type_, name), on_sample, **how))
        return got

    def publisher(self, type_, name, qos=10, hash_=None):
        key = (name, repr(qos), hash_)
        if key not in self.publishers:
            self.publishers[key] = Publisher(self, type_, name, qos, hash_)
        return self.publishers[key]

    # --- actions ---

    def action(self, type_=ComputePathToPose):
        action = Action(self, type_, ACTION_NAMES[type_])
        assert action.is_there(), f'no action {action.name}'
        return action


def sample_of(sample):
    return Sample(sample.payload.to_bytes(), sample.attachment and sample.attachment.to_bytes())


class Publisher:
    """Publishes messages, or bytes for what is none."""

    def __init__(self, client, type_, name, qos, hash_=None):
        hash_ = hash_ or type_hash(ros_type(type_))
        self.peer = client.peer
        self.gid = self.peer.token('MP', client.resolve(name), ros_type(type_), hash_, qos_field(qos))
        how = (dict(cache=CacheConfig(qos_profile(qos).depth), publisher_detection=True,
                    sample_miss_detection=MissDetectionConfig(heartbeat=None, sporadic_heartbeat=0.5))
               if is_latched(qos) else {})
        if is_best_effort(qos):
            how['reliability'] = zenoh.Reliability.BEST_EFFORT
        # What a test has published arrives, however large it is.
        self.publisher = declare_advanced_publisher(client.session, client.key(type_, name, hash_),
                                                    congestion_control=zenoh.CongestionControl.BLOCK, **how)
        self.sequence = 0

    def publish(self, message):
        self.sequence += 1
        self.publish_bytes(serialize_message(message), self.peer.att(self.sequence, self.gid))

    def publish_bytes(self, payload, attachment=None):
        self.publisher.put(payload, attachment=attachment)


class Action:
    """Three services under the name of an action."""

    def __init__(self, client, type_, name):
        self.client, self.impl, self.name = client, type_.Impl, f'{name}/_action'

    def is_there(self):
        return all(self.client.has_service(type_, f'{self.name}/{name}') for type_, name in (
            (self.impl.SendGoalService, 'send_goal'), (self.impl.GetResultService, 'get_result'),
            (CancelGoal, 'cancel_goal')))

    def send_goal_async(self, goal):
        goal_id = UUID(uuid=list(uuid.uuid4().bytes))
        request = self.impl.SendGoalService.Request(goal_id=goal_id, goal=goal)
        return self.client.ask(self.impl.SendGoalService, f'{self.name}/send_goal', request,
                               then=lambda answer: GoalHandle(self, goal_id, answer.accepted))

    def get_result_async(self, goal_id):
        request = self.impl.GetResultService.Request(goal_id=goal_id)
        return self.client.ask(self.impl.GetResultService, f'{self.name}/get_result', request)

    def cancel_goal_async(self, goal_id=None, before=None):
        """Without an id: all that were accepted before a time, or all."""
        info = GoalInfo(goal_id=goal_id or UUID())
        if before is not None:
            info.stamp = before
        return self.client.ask(CancelGoal, f'{self.name}/cancel_goal', CancelGoal.Request(goal_info=info))


class GoalHandle:
    def __init__(self, action, goal_id, accepted):
        self.action, self.goal_id, self.accepted = action, goal_id, accepted

    def get_result_async(self):
        return self.action.get_result_async(self.goal_id)

    def cancel_goal_async(self):
        return self.action.cancel_goal_async(self.goal_id)
