"""Parameters: by file, by command line, at run time; what is wrong is named."""
import subprocess

import pytest
from nav2_msgs.action import ComputePathToPose
from rcl_interfaces.srv import DescribeParameters, ListParameters

from messages import SUCCEEDED, pose, to_pose, two_rooms

Result = ComputePathToPose.Result
ACROSS = to_pose(pose(8, 2), pose(2, 2))


def test_a_parameter_set_at_run_time_counts_for_the_next_goal(planner, client):
    assert client.plan(ACROSS)[0] == SUCCEEDED
    assert client.set(robot_radius=1.2) == ['']
    assert client.plan(ACROSS)[1].error_code == Result.NO_VALID_PATH
    assert client.set(robot_radius=0.22, obstacle_layer__enabled=False) == ['', '']
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_wrong_values_are_refused_and_change_nothing(planner, client):
    reasons = client.set(robot_radius=-1.0, halt='sometimes', map_topic='other', max_segments=0,
                         robot_radios=1.0, tolerance='wide')
    assert all(reasons), reasons
    assert 'sometimes' in reasons[1]
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_an_outline_counts_for_the_next_goal_and_a_bad_one_is_refused(planner, client):
    [reason] = client.set(footprint='[[1.0, 0.2], [1.0, -0.2]]')
    assert 'corners in order' in reason
    assert client.set(footprint='[[0.3, 0.2], [0.3, -0.2], [-0.3, -0.2], [-0.3, 0.2]]') == ['']
    assert client.plan(ACROSS)[0] == SUCCEEDED
    assert client.set(footprint='[[1.2, 1.2], [1.2, -1.2], [-1.2, -1.2], [-1.2, 1.2]]') == ['']
    assert client.plan(ACROSS)[1].error_code == Result.NO_VALID_PATH
    assert client.set(footprint='[]') == ['']
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_every_parameter_is_described_and_ranged(start, client):
    start()
    names = client.call(ListParameters, 'hrm_planner/list_parameters').result.names
    assert len(names) > 55 and 'obstacle_layer.scan.obstacle_max_range' in names
    descriptors = client.call(DescribeParameters, 'hrm_planner/describe_parameters', names=names).descriptors
    for d in descriptors:
        if d.name != 'use_sim_time':  # rclrs's own
            assert len(d.description) > 20, d.name
        if d.type == 3 or (d.type == 2 and d.name != 'moves'):
            assert d.floating_point_range or d.integer_range, d.name
    by_name = {d.name: d for d in descriptors}
    assert by_name['tolerance'].floating_point_range[0].to_value == 1000.0
    assert by_name['map_topic'].read_only and not by_name['tolerance'].read_only


@pytest.mark.parametrize('node', ['hrm_planner', '/**', '/robot/hrm_planner'])
def test_a_parameter_file(start, client, tmp_path, node):
    file = tmp_path / 'planner.yaml'
    file.write_text(f'{node}:\n  ros__parameters:\n    autostart_node: true\n    planner_plugins: ["Hrm"]\n'
                    '    obstacle_layer:\n      scan: {topic: front_scan}\n')
    start(file=file, remap=['__ns:=/robot'] if 'robot' in node else [])
    client.until(lambda: any(t.endswith('front_scan') for t in client.topics()))
    assert not any(t.endswith('/scan') for t in client.topics())


def test_the_shipped_file_is_one(start, client):
    import pathlib
    file = pathlib.Path(__file__).parents[3] / 'configs' / 'planner.yaml'
    start(file=file)
    client.activate()
    client.publish_map(two_rooms())
    assert client.plan(ACROSS)[0] == SUCCEEDED


@pytest.mark.parametrize('assignment, words', [
    ('tolerance:=wide', 'tolerance'),
    ('robot_radius:=-1.0', 'robot_radius'),
    ('halt:=sometimes', 'halt'),
    ('obstacle_layer.scan.data_type:=Sonar', 'data_type'),
])
def test_a_wrong_value_at_the_start_ends_the_node_with_its_name(back_end, assignment, words):
    command = back_end.command(parameters=dict([assignment.split(':=')]))
    run = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert run.returncode in (1, 2) and words in run.stderr, run.stderr
