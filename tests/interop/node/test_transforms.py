"""Where the robot is and in which frame goals are; time, simulated and not."""
import math

from nav2_msgs.action import ComputePathToPose
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

from messages import ABORTED, SUCCEEDED, points, pose, to_pose, two_rooms

Result = ComputePathToPose.Result


def near(a, b):
    return math.dist(a, b) < 1e-6


def test_a_plan_starts_where_the_robot_is(planner, client):
    client.publish_tf('map', 'odom', 1.0, 1.0, static=True)
    client.publish_tf('odom', 'base_link', 1.0, 2.0)
    client.spin(0.1)
    client.publish_tf('odom', 'base_link', 1.0, 1.0)
    status, result = client.plan(to_pose(pose(8, 2)))
    assert status == SUCCEEDED and near(points(result.path)[0], (2, 2))


def test_a_goal_in_another_frame_is_brought_into_the_maps(planner, client):
    """nav2 2186: the frame was ignored."""
    client.publish_tf('map', 'odom', 10.0, 0.0, math.pi / 2, static=True)
    client.spin(0.1)
    status, result = client.plan(to_pose(pose(2, 2, frame='odom'), pose(2, 2)))
    assert status == SUCCEEDED
    assert near(points(result.path)[-1], (8, 2)) and result.path.header.frame_id == 'map'


def test_an_old_goal_in_the_maps_frame_needs_no_transform(planner, client):
    """nav2 3075."""
    old = Time(seconds=1).to_msg()
    assert client.plan(to_pose(pose(8, 2, stamp=old), pose(2, 2, stamp=old)))[0] == SUCCEEDED


def test_an_old_goal_in_another_frame_uses_the_latest_transform(planner, client):
    client.publish_tf('map', 'odom', 1.0, 0.0)
    client.spin(0.1)
    goal = pose(7, 2, frame='odom', stamp=Time(seconds=1).to_msg())
    status, result = client.plan(to_pose(goal, pose(2, 2)))
    assert status == SUCCEEDED and near(points(result.path)[-1], (8, 2))


def test_a_goal_from_the_future_is_a_tf_error(planner, client):
    """nav2 3746: within the tolerance it is not."""
    client.publish_tf('map', 'odom', 1.0, 0.0)
    client.spin(0.1)
    now = client.now()
    soon = Time(nanoseconds=now.nanoseconds + 10**8).to_msg()
    assert client.plan(to_pose(pose(7, 2, frame='odom', stamp=soon), pose(2, 2)))[0] == SUCCEEDED
    late = Time(nanoseconds=now.nanoseconds + 10**11).to_msg()
    status, result = client.plan(to_pose(pose(7, 2, frame='odom', stamp=late), pose(2, 2)))
    assert (status, result.error_code) == (ABORTED, Result.TF_ERROR)
    assert 'use_sim_time' in result.error_msg


def test_a_robot_whose_transform_is_old_is_not_believed(planner, client):
    past = client.now().nanoseconds - 5 * 10**9
    client.publish_tf('map', 'base_link', 2.0, 2.0, stamp=Time(nanoseconds=past).to_msg())
    client.spin(0.1)
    status, result = client.plan(to_pose(pose(8, 2)))
    assert (status, result.error_code) == (ABORTED, Result.TF_ERROR)
    assert 'old' in result.error_msg and 'transform_tolerance' in result.error_msg


def test_a_transform_that_comes_a_little_late_is_waited_for(planner, client):
    client.set(transform_tolerance=2.0)
    handle = client.send(to_pose(pose(8, 2)))
    client.spin(0.3)
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    assert client.wait(handle.get_result_async()).status == SUCCEEDED


def test_poses_that_are_none_are_refused(planner, client):
    for broken in (pose(math.nan, 2), pose(8, 2)):
        if not math.isnan(broken.pose.position.x):
            broken.pose.orientation.w = 0.0
        status, result = client.plan(to_pose(broken, pose(2, 2)))
        assert (status, result.error_code) == (ABORTED, Result.TF_ERROR), result.error_msg


def test_simulated_time(start, clients):
    """nav2 4551, 3741: ages are those of /clock, and waiting does not depend on it."""
    start(parameters={'use_sim_time': 'true'})
    client = clients(use_sim_time=True)
    clock = client.publisher(Clock, '/clock')
    client.wait_for_readers('/clock', 2)  # this client's own and the planner's

    def at(seconds):
        # More often than would do: on a busy machine the node hears it late.
        for _ in range(10):
            clock.publish(Clock(clock=Time(seconds=seconds).to_msg()))
            client.spin(0.05)
    at(100)
    client.activate()
    client.publish_map(two_rooms())
    client.publish_tf('map', 'base_link', 2.0, 2.0, stamp=Time(seconds=100).to_msg())
    client.spin(0.1)
    goal = to_pose(pose(8, 2))
    status, result = client.plan(goal)
    assert status == SUCCEEDED, result.error_msg
    assert result.path.header.stamp == Time(seconds=100).to_msg()
    at(200)
    assert client.plan(goal)[1].error_code == Result.TF_ERROR, 'the transform is 100 s old now'
    # The simulation begins anew: what was known of its future is forgotten.
    at(50)
    client.spin(0.3)
    client.publish_tf('map', 'base_link', 2.0, 3.0, stamp=Time(seconds=50).to_msg())
    client.spin(0.1)
    status, result = client.plan(goal)
    assert status == SUCCEEDED and near(points(result.path)[0], (2, 3)), result.error_msg
