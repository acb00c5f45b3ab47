"""Goals, maps and poses as ROS messages, and what tests read out of them; the same on every back end."""
import math

from action_msgs.msg import GoalStatus
from geometry_msgs.msg import PoseStamped
from nav2_msgs.action import ComputePathToPose
from nav_msgs.msg import OccupancyGrid
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
STATIC = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)

SUCCEEDED, CANCELED, ABORTED = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED,
                                GoalStatus.STATUS_ABORTED)


def pose(x, y, yaw=0.0, frame='map', stamp=None):
    message = PoseStamped()
    message.header.frame_id = frame
    if stamp is not None:
        message.header.stamp = stamp
    message.pose.position.x, message.pose.position.y = float(x), float(y)
    message.pose.orientation.z, message.pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
    return message


def to_pose(goal, start=None, planner_id=''):
    message = ComputePathToPose.Goal(goal=goal, planner_id=planner_id, use_start=start is not None)
    if start is not None:
        message.start = start
    return message


def empty_map(width=100, height=80, resolution=0.1, origin=(0.0, 0.0)):
    grid = OccupancyGrid()
    grid.header.frame_id = 'map'
    grid.info.width, grid.info.height, grid.info.resolution = width, height, resolution
    grid.info.origin.position.x, grid.info.origin.position.y = origin
    grid.info.origin.orientation.w = 1.0
    grid.data = [0] * (width * height)
    return grid


def fill(grid, x0, y0, x1, y1, value=100):
    """Fills the cells whose centres lie in a rectangle, metres."""
    res = grid.info.resolution
    ox, oy = grid.info.origin.position.x, grid.info.origin.position.y
    for row in range(grid.info.height):
        for col in range(grid.info.width):
            x, y = ox + (col + 0.5) * res, oy + (row + 0.5) * res
            if x0 <= x <= x1 and y0 <= y <= y1:
                grid.data[row * grid.info.width + col] = value
    return grid


def two_rooms(door=True):
    """10 x 8 m, a wall at x = 5 with a door of 2 m at the top."""
    grid = fill(empty_map(), 4.9, 0, 5.1, 8)
    return fill(grid, 4.9, 5.5, 5.1, 7.5, 0) if door else grid


def points(path):
    return [(p.pose.position.x, p.pose.position.y) for p in path.poses]


def yaw(stamped):
    q = stamped.pose.orientation
    return 2 * math.atan2(q.z, q.w)
