"""The launch files, evaluated without ROS's launch (which is not on PyPI) by a program that knows its
classes; the planner's is also run."""
import os
import pathlib
import shlex
import signal
import subprocess
import sys

import pytest
from lifecycle_msgs.srv import GetState

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHECK = pathlib.Path(os.environ.get('HRM_LAUNCH_CHECK', 'missing'))
pytestmark = [pytest.mark.skipif(not CHECK.exists(), reason='HRM_LAUNCH_CHECK names no launch_check.py'),
              pytest.mark.only('dds', reason='launch files start ROS nodes')]

NAV2 = '''
planner_server:
  ros__parameters:
    expected_planner_frequency: 20.0
    planner_plugins: ["GridBased"]
    costmap_update_timeout: 1
    GridBased: {plugin: "nav2_navfn_planner::NavfnPlanner", tolerance: 0.25, allow_unknown: true}
global_costmap:
  global_costmap:
    ros__parameters:
      update_frequency: 1.0
      robot_base_frame: base_footprint
      footprint: "[[0.3, 0.2], [0.3, -0.2], [-0.4, -0.2], [-0.4, 0.2]]"
      plugins: ["static_layer", "obstacle_layer", "inflation_layer"]
      static_layer: {plugin: "nav2_costmap_2d::StaticLayer", map_subscribe_transient_local: True}
      obstacle_layer:
        plugin: "nav2_costmap_2d::ObstacleLayer"
        observation_sources: scan rear
        scan: {topic: /scan, max_obstacle_height: 2, data_type: "LaserScan", obstacle_max_range: 4.5}
        rear: {topic: /rear/points, data_type: "PointCloud2"}
      inflation_layer: {plugin: "nav2_costmap_2d::InflationLayer", cost_scaling_factor: 3.0, inflation_radius: 0.7}
'''


@pytest.fixture
def installed(back_end, tmp_path):
    """The package as colcon installs it."""
    for folder in ('launch', 'configs'):
        target = tmp_path / 'share' / 'hrm_planner' / folder
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(ROOT / folder)
    binary = tmp_path / 'lib' / 'hrm_planner' / 'hrm_planner_node'
    binary.parent.mkdir(parents=True)
    binary.symlink_to(back_end.program)
    # Stand-ins: only the command lines of Nav2's own servers are looked at.
    others = ['nav2_controller/controller_server', 'nav2_smoother/smoother_server', 'nav2_behaviors/behavior_server',
              'nav2_velocity_smoother/velocity_smoother', 'nav2_collision_monitor/collision_monitor',
              'nav2_bt_navigator/bt_navigator', 'nav2_waypoint_follower/waypoint_follower',
              'opennav_docking/docking_server', 'nav2_lifecycle_manager/lifecycle_manager']
    for other in others:
        (tmp_path / 'lib' / other).parent.mkdir(parents=True)
        (tmp_path / 'lib' / other).symlink_to('/bin/true')
    return {**os.environ, 'AMENT_PREFIX_PATH': f'{tmp_path}:{os.environ["AMENT_PREFIX_PATH"]}'}


def check(environment, file, *arguments):
    run = subprocess.run([sys.executable, str(CHECK), str(ROOT / 'launch' / file), *arguments],
                         capture_output=True, text=True, env=environment)
    return run.stdout, run.stderr


def test_every_argument_of_the_planners_file_reaches_the_node(installed):
    out, err = check(installed, 'planner.launch.py', 'model:=/m.safetensors', 'map:=/floor1/map', 'namespace:=robot1',
                     'use_sim_time:=true', 'autostart:=false', 'log_level:=debug', 'name:=planner_server')
    assert not err, err
    for words in ('model:=/m.safetensors', 'map_topic:=/floor1/map', '__ns:=/robot1', 'use_sim_time:=true',
                  'autostart_node:=false', '--log-level debug', '__node:=planner_server', '/tf:=tf',
                  'configs/planner.yaml'):
        assert words in out, words
    assert 'true or false' in check(installed, 'planner.launch.py', 'autostart:=maybe')[1]


def test_the_planners_file_starts_the_node(installed, clients):
    command = [sys.executable, str(CHECK), str(ROOT / 'launch' / 'planner.launch.py'), '--run', 'namespace:=robot1']
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=installed)
    client = clients('robot1')
    answer = client.call(GetState, 'hrm_planner/get_state')
    client.until(lambda: client.state() == 'active')
    assert answer.current_state.label in ('unconfigured', 'inactive', 'active')
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == 0


def test_nav2s_file_puts_the_planner_where_planner_server_was(installed, tmp_path):
    file = tmp_path / 'nav2.yaml'
    file.write_text(NAV2)
    out, err = check(installed, 'nav2.launch.py', f'params_file:={file}', 'use_sim_time:=true')
    assert not err, err
    lines = out.splitlines()
    [planner] = [line for line in lines if 'hrm_planner_node' in line]
    assert '__node:=planner_server' in planner and '/tf:=tf' in planner
    assert not any('nav2_planner' in line for line in lines)
    [manager] = [line for line in lines if 'lifecycle_manager' in line.split()[0]]
    assert 'smoother_server, planner_server, behavior_server' in manager
    for words in ('footprint:=', '[[0.3, 0.2], [0.3, -0.2], [-0.4, -0.2], [-0.4, 0.2]]', 'inflation_radius:=0.7', 'cost_scaling_factor:=3.0', 'tolerance:=0.25',
                  'allow_unknown:=true', 'robot_base_frame:=base_footprint', 'expected_planner_frequency:=20.0',
                  'costmap_update_timeout:=1.0', 'observation_sources:=[scan, rear]',
                  'obstacle_layer.scan.max_obstacle_height:=2.0', 'obstacle_layer.rear.data_type:=PointCloud2',
                  # What Nav2 takes where the file says nothing.
                  'obstacle_layer.rear.clearing:=false', 'obstacle_layer.rear.max_obstacle_height:=0.0'):
        assert words in planner, words
    own = tmp_path / 'own.yaml'
    own.write_text('/**:\n  ros__parameters:\n    tolerance: 0.1\n    max_tokens: 4096\n'
                   '    obstacle_layer: {rear: {clearing: true}}\n')
    out, err = check(installed, 'nav2.launch.py', f'params_file:={file}', f'planner_params_file:={own}')
    [planner] = [line for line in out.splitlines() if 'hrm_planner_node' in line]
    for words in ('tolerance:=0.1', 'max_tokens:=4096', 'obstacle_layer.rear.clearing:=true', 'footprint:='):
        assert words in planner, words


def test_the_node_takes_what_nav2s_file_translates(installed, tmp_path):
    file = tmp_path / 'nav2.yaml'
    file.write_text(NAV2)
    out, _ = check(installed, 'nav2.launch.py', f'params_file:={file}')
    [planner] = [line for line in out.splitlines() if 'hrm_planner_node' in line]
    child = subprocess.Popen(shlex.split(planner), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in child.stdout:
        lines.append(line)
        if 'ready' in line:
            break
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == 0, ''.join(lines)
    assert any('name=/planner_server' in line for line in lines), lines
