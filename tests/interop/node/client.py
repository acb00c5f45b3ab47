"""What tests ask of a node, said once; how it gets there is the business of the back ends."""
import math
import time

from geometry_msgs.msg import TransformStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from nav2_msgs.action import ComputePathThroughPoses, ComputePathToPose
from nav_msgs.msg import OccupancyGrid
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from tf2_msgs.msg import TFMessage

from messages import LATCHED, STATIC

ACTION_NAMES = {ComputePathToPose: 'compute_path_to_pose',
                ComputePathThroughPoses: 'compute_path_through_poses'}


def parameter_value(v):
    if isinstance(v, bool):
        return ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=v)
    if isinstance(v, int):
        return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=v)
    if isinstance(v, float):
        return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=v)
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=v)


class Client:
    """A node on the other side, with blocking calls.

    A back end adds `call`, `has_service`, `listen`, `publisher`, `action`, the graph (`readers`,
    `node_names`, `topics`), the time (`now`), what passes it (`turn`), and `close`.
    """

    planner = 'hrm_planner'

    # --- waiting ---

    def wait(self, future, timeout=10):
        end = time.monotonic() + timeout
        while not future.done() and time.monotonic() < end:
            self.turn()
        assert future.done(), 'no answer'
        return future.result()

    def until(self, condition, timeout=10):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, 'did not happen'
            self.turn()

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn()

    def wait_for_readers(self, topic, count=1):
        self.until(lambda: self.readers(topic) >= count)

    # --- services ---

    def change(self, transition):
        request = Transition(id=transition)
        return self.call(ChangeState, f'{self.planner}/change_state', transition=request).success

    def state(self):
        return self.call(GetState, f'{self.planner}/get_state').current_state.label

    def activate(self):
        # The state decides: where an answer was lost, the second asking finds it done.
        for transition, state in [(Transition.TRANSITION_CONFIGURE, 'inactive'),
                                  (Transition.TRANSITION_ACTIVATE, 'active')]:
            assert self.change(transition) or self.state() == state
        return self

    def set(self, **parameters):
        """Why the parameters were refused, one by one; empty where they were not."""
        wanted = [Parameter(name=name.replace('__', '.'), value=parameter_value(value))
                  for name, value in parameters.items()]
        answer = self.call(SetParameters, f'{self.planner}/set_parameters', parameters=wanted)
        return [r.reason if not r.successful else '' for r in answer.results]

    # --- topics ---

    def publish_map(self, grid, qos=LATCHED, topic='map'):
        self.publisher(OccupancyGrid, topic, qos).publish(grid)

    def publish_tf(self, parent, child, x=0.0, y=0.0, yaw=0.0, stamp=None, static=False):
        message = TransformStamped(child_frame_id=child)
        message.header.frame_id = parent
        message.header.stamp = stamp or self.now().to_msg()
        message.transform.translation.x, message.transform.translation.y = x, y
        message.transform.rotation.z, message.transform.rotation.w = (math.sin(yaw / 2),
                                                                      math.cos(yaw / 2))
        topic, qos = ('/tf_static', STATIC) if static else ('/tf', 100)
        self.publisher(TFMessage, topic, qos).publish(TFMessage(transforms=[message]))

    # --- actions ---

    def send(self, goal, type_=ComputePathToPose, timeout=10):
        """The goal's handle."""
        return self.wait(self.action(type_).send_goal_async(goal), timeout)

    def plan(self, goal, type_=ComputePathToPose, timeout=10):
        """(status, result)"""
        handle = self.send(goal, type_, timeout)
        assert handle.accepted
        answer = self.wait(handle.get_result_async(), timeout)
        return answer.status, answer.result
