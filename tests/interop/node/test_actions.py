"""Both actions: plans, every error, cancel, preemption, rejection."""
import pytest
from nav2_msgs.action import ComputePathThroughPoses, ComputePathToPose
from nav_msgs.msg import Goals, Path

from messages import ABORTED, CANCELED, SUCCEEDED, empty_map, fill, points, pose, to_pose, two_rooms, yaw

Result = ComputePathToPose.Result
Through = ComputePathThroughPoses.Result


def test_a_plan_begins_at_the_start_and_ends_at_the_goal(planner, client):
    plans = client.listen(Path, 'plan')
    client.wait_for_readers('/map')
    status, result = client.plan(to_pose(pose(8, 2, 1.5), pose(2, 2, 0.5)))
    assert (status, result.error_code, result.error_msg) == (SUCCEEDED, Result.NONE, '')
    path = result.path
    assert path.header.frame_id == 'map' and path.header.stamp.sec > 0
    assert points(path)[0] == (2, 2) and points(path)[-1] == (8, 2)
    assert yaw(path.poses[0]) == pytest.approx(0.5, abs=1e-9)
    assert yaw(path.poses[-1]) == pytest.approx(1.5, abs=1e-9)
    assert all(p.header == path.header for p in path.poses)
    assert any(y > 5.5 for _, y in points(path)), 'it goes through the door'
    assert result.planning_time.sec + result.planning_time.nanosec > 0
    client.until(lambda: plans)
    assert plans == [path]


def test_a_plan_through_poses_passes_them_in_order_and_doubles_none(planner, client):
    goal = ComputePathThroughPoses.Goal(goals=Goals(goals=[pose(2, 6), pose(8, 6), pose(8, 2)]),
                                        start=pose(2, 2), use_start=True)
    status, result = client.plan(goal, ComputePathThroughPoses)
    assert (status, result.error_code) == (SUCCEEDED, Through.NONE)
    found = points(result.path)
    places = [found.index(at) for at in [(2, 2), (2, 6), (8, 6), (8, 2)]]
    assert places == sorted(places) and places[-1] == len(found) - 1
    assert all(a != b for a, b in zip(found, found[1:]))


def test_every_error_has_its_code_and_says_what_to_do(planner, client):
    boxed = fill(two_rooms(door=False), 7, 5, 8, 6)
    client.publish_map(boxed)
    client.set(tolerance=0.0)
    cases = [
        (to_pose(pose(8, 2), pose(2, 2), planner_id='Smac'), Result.INVALID_PLANNER, 'GridBased'),
        (to_pose(pose(8, 2), pose(2, 2, frame='odom')), Result.TF_ERROR, 'odom'),
        (to_pose(pose(8, 2, frame=''), pose(2, 2)), Result.TF_ERROR, 'frame_id'),
        (to_pose(pose(8, 2)), Result.TF_ERROR, 'base_link'),
        (to_pose(pose(8, 2), pose(-1, 2)), Result.START_OUTSIDE_MAP, 'outside the map'),
        (to_pose(pose(8, 99), pose(2, 2)), Result.GOAL_OUTSIDE_MAP, 'outside the map'),
        (to_pose(pose(8, 2), pose(7.5, 5.5)), Result.START_OCCUPIED, 'obstacle'),
        (to_pose(pose(7.5, 5.5), pose(8, 2)), Result.GOAL_OCCUPIED, 'choose a free goal'),
        (to_pose(pose(8, 2), pose(2, 2)), Result.NO_VALID_PATH, 'no path leads'),
    ]
    for goal, code, words in cases:
        status, result = client.plan(goal)
        assert (status, result.error_code) == (ABORTED, code), (code, result.error_code, result.error_msg)
        assert words in result.error_msg, result.error_msg
        assert not result.path.poses
    status, result = client.plan(ComputePathThroughPoses.Goal(), ComputePathThroughPoses)
    assert (status, result.error_code) == (ABORTED, Through.NO_VIAPOINTS_GIVEN)
    outside = ComputePathThroughPoses.Goal(goals=Goals(goals=[pose(2, 3), pose(99, 3)]),
                                           start=pose(2, 2), use_start=True)
    status, result = client.plan(outside, ComputePathThroughPoses)
    assert (status, result.error_code) == (ABORTED, Through.GOAL_OUTSIDE_MAP)
    assert 'leg 2 of 2' in result.error_msg


def test_without_a_map_a_request_ends_in_a_timeout(start, client):
    """nav2 4672: waited for a map for ever."""
    start(parameters={'costmap_update_timeout': 0.3})
    client.activate()
    status, result = client.plan(to_pose(pose(8, 2), pose(2, 2)))
    assert (status, result.error_code) == (ABORTED, Result.TIMEOUT)
    assert '`map`' in result.error_msg and 'map_qos' in result.error_msg


def test_an_inactive_node_rejects_goals(start, client):
    start()
    assert not client.send(to_pose(pose(8, 2), pose(2, 2))).accepted
    client.activate()
    client.publish_map(two_rooms())
    assert client.plan(to_pose(pose(8, 2), pose(2, 2)))[0] == SUCCEEDED
    assert client.change(4)
    assert not client.send(to_pose(pose(8, 2), pose(2, 2))).accepted


def slow_goals(client):
    """Goals that wait for a transform of the robot for as long as the tolerance is."""
    assert client.set(transform_tolerance=1.5) == ['']
    return to_pose(pose(8, 2))


def test_a_cancelled_goal_ends_at_once_and_publishes_nothing(planner, client):
    """nav2 4139, 4148; ros2/examples 271."""
    plans = client.listen(Path, 'plan')
    handle = client.send(slow_goals(client))
    client.spin(0.1)
    before = client.now()
    answer = client.wait(handle.cancel_goal_async())
    assert len(answer.goals_canceling) == 1
    ended = client.wait(handle.get_result_async())
    assert ended.status == CANCELED
    assert (client.now() - before).nanoseconds < 1e9
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    client.spin(0.3)
    assert plans == []


def test_cancelling_what_has_ended_is_refused(planner, client):
    """nav2 2499, rclcpp 1569: crash on an impossible goal transition."""
    handle = client.send(to_pose(pose(8, 2), pose(2, 2)))
    assert client.wait(handle.get_result_async()).status == SUCCEEDED
    answer = client.wait(handle.cancel_goal_async())
    assert answer.return_code == answer.ERROR_GOAL_TERMINATED
    assert client.plan(to_pose(pose(8, 2), pose(2, 2)))[0] == SUCCEEDED


def test_the_newest_goal_wins(planner, client):
    """nav2 676, 801."""
    older = client.send(slow_goals(client))
    result = older.get_result_async()
    status, newest = client.plan(to_pose(pose(8, 2), pose(2, 2)))
    assert status == SUCCEEDED and newest.path.poses
    answer = client.wait(result)
    assert (answer.status, answer.result.error_code) == (ABORTED, Result.UNKNOWN)
    assert 'newer goal' in answer.result.error_msg


def test_twenty_goals_in_flight_have_one_result_each(planner, client):
    action = client.action()
    sent = [action.send_goal_async(to_pose(pose(8, 1 + 0.2 * i), pose(2, 2))) for i in range(20)]
    handles = [client.wait(future) for future in sent]
    assert all(handle.accepted for handle in handles)
    results = [client.wait(handle.get_result_async()) for handle in handles]
    statuses = [r.status for r in results]
    assert set(statuses) <= {SUCCEEDED, ABORTED} and statuses[-1] == SUCCEEDED
    for r in results:
        assert bool(r.result.path.poses) == (r.status == SUCCEEDED)


def test_goals_of_the_two_actions_do_not_disturb_each_other(planner, client):
    goal = ComputePathThroughPoses.Goal(goals=Goals(goals=[pose(8, 2)]), start=pose(2, 2), use_start=True)
    first = client.send(to_pose(pose(8, 2), pose(2, 2)))
    second = client.send(goal, ComputePathThroughPoses)
    for handle in (first, second):
        assert client.wait(handle.get_result_async()).status == SUCCEEDED


@pytest.mark.parametrize('allowed', [False, True])
def test_a_plan_to_the_last_reachable_point_is_an_option(start, client, allowed):
    """nav2 5535."""
    start(parameters={'partial_plan_allowed': str(allowed).lower()})
    client.activate()
    client.publish_map(two_rooms(door=False))
    status, result = client.plan(to_pose(pose(8, 2), pose(2, 2)))
    if allowed:
        assert status == SUCCEEDED and 4 < points(result.path)[-1][0] < 5
        assert 'cannot be reached' in result.error_msg
    else:
        assert (status, result.error_code) == (ABORTED, Result.NO_VALID_PATH)


@pytest.mark.parametrize('approach', [False, True])
def test_the_last_pose_has_the_direction_of_the_goal_or_of_the_approach(start, client, approach):
    """nav2 2482, 3318."""
    start(parameters={'use_final_approach_orientation': str(approach).lower()})
    client.activate()
    client.publish_map(empty_map())
    _, result = client.plan(to_pose(pose(8, 2, 2.0), pose(2, 2)))
    assert yaw(result.path.poses[-1]) == pytest.approx(0.0 if approach else 2.0, abs=1e-6)


def test_a_robot_right_beside_a_wall_may_leave(planner, client):
    """nav2 6120, PR 3237: inscribed is not lethal."""
    status, _ = client.plan(to_pose(pose(8, 2), pose(4.85, 2)))
    assert status == SUCCEEDED


def test_planning_is_reported(planner, client):
    from hrm_planner_msgs.msg import PlanReport
    reports = client.listen(PlanReport, 'hrm_planner/report')
    client.wait_for_readers('/hrm_planner/report')
    client.plan(to_pose(pose(8, 2), pose(2, 2)))
    client.plan(to_pose(pose(8, 99), pose(2, 2)))
    client.until(lambda: len(reports) == 2)
    first, second = reports
    assert first.succeeded and len(first.legs) == 1
    leg = first.legs[0]
    assert leg.source in ('model', 'repaired', 'search') and leg.model == 'nav'
    assert leg.travel_cost >= leg.length > 6 and leg.total_ms > 0
    assert (leg.map_width, leg.map_height) == (100, 80)
    assert not second.succeeded and second.error_code == Result.GOAL_OUTSIDE_MAP
