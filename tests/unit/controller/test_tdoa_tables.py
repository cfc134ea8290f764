"""Tables of delays as people write them, and what is said of those that cannot be read."""

import numpy as np
import pytest

from controller.errors import ControllerError
from controller.tdoa.epoch import Epoch, SensorArray
from controller.tdoa.region import parse_bounds, parse_hull
from controller.tdoa.rows import Reading
from controller.tdoa.tables import read_epochs, read_sensors

SENSORS = "name,x_m,y_m,z_m\nm0,0,0,0\nm1,1,0,0\nm2,0,1,0\nm3,0,0,1\n"
READING = Reading(343.0)


def sensors(text: str = SENSORS) -> SensorArray:
    return read_sensors("sensors.csv", text)


def epochs(text: str, reading: Reading = READING, array: SensorArray | None = None) -> list[Epoch]:
    return read_epochs("delays.csv", text, sensors() if array is None else array, reading)


@pytest.mark.parametrize(
    "text",
    [
        "t_s,a,b,delay_s\n0,m1,m0,0.001\n0,m2,m0,-0.002\n",
        "\ufefft_s,a,b,delay_s\r\n0,m1,m0,0.001\r\n0,m2,m0,-0.002\r\n",
        "# taken in May\n\n T_s ; A ; B ; Delay_s \n0;m1;m0;0,001\n0;m2;m0;-0,002\n",
        "t_s\ta\tb\tdelay_s\n0\tm1\tm0\t0.001\n0\tm2\tm0\t-0.002\n",
        "t_s a b delay_s\n0 m1 m0 0.001\n0 m2 m0 -0.002\n",
        "time (s),mic1,mic2,TDOA [ms]\n0,M1,M0,1\n0,M2,M0,-2\n",
        "a,b,delay_us,t_ms\nm1,m0,1000,0\nm2,m0,-2000,0\n",
        "0,m1,m0,0.001\n0,m2,m0,-0.002\n",
        "# t_s,a,b,delay_s\n0,1,0,1e-3\n0,2,0,-2e-3\n",
        "a,b,delay_m\nm1,m0,0.343\nm2,m0,-0.686\n",
        "t_s,a,b,delay_s\n0,2,1,0.001\n0,3,1,-0.002\n0,4,1,nan\n",
        '"t_s","a","b","delay_s"\n"0","m1","m0","0.001"  # good\n0,m2,m0,-0.002\n',
    ],
)
def test_one_table_in_many_hands(text: str) -> None:
    (epoch,) = epochs(text)
    assert epoch.first.tolist() == [1, 2]
    assert epoch.second.tolist() == [0, 0]
    assert epoch.delay_s == pytest.approx([0.001, -0.002])
    assert np.all(np.isnan(epoch.sigma_s))


def test_epochs_blanks_sigmas_and_windows() -> None:
    rows = ["1,m1,m0,0.001,5", "0.0,m1,m0,,5", "1.0,m2,m0,NaN,", "0,m2,m0,0.003,7", "1.001,m3,m0,0.004,9"]
    text = "\n".join(["t_s,a,b,delay_s,sigma_us", *rows])
    first, second, third = epochs(text)
    assert [first.time_s, second.time_s, third.time_s] == [0.0, 1.0, 1.001]
    assert (first.skipped, second.skipped, third.skipped) == (1, 1, 0)
    assert first.sigma_s == pytest.approx([7e-6])
    joined = epochs(text, Reading(343.0, window_s=0.01))
    assert [len(epoch.delay_s) for epoch in joined] == [1, 2]


def test_the_sign_may_be_turned() -> None:
    (epoch,) = epochs("a,b,delay_s\nm1,m0,0.001\n", Reading(343.0, reverse=True))
    assert epoch.delay_s.tolist() == [-0.001]


def test_epochs_may_have_names_or_dates() -> None:
    named = epochs("event,a,b,delay_s\nclap 2,m1,m0,0.001\nclap 1,m1,m0,0.002\nclap 2,m2,m0,0.003\n")
    assert [(epoch.label, len(epoch.delay_s)) for epoch in named] == [("clap 2", 2), ("clap 1", 1)]
    (dated,) = epochs("utc,a,b,delay_s\n2026-05-01T12:00:00Z,m1,m0,0.001\n")
    assert dated.time_s == 1777636800.0


@pytest.mark.parametrize(
    "text",
    [
        "t_s,sensor,arrival_s\n5,m0,1777636800.0000000\n5,m1,1777636800.0010001\n5,m2,1777636799.9980000\n",
        "sensor,arrival_s\nm0,10\nm1,10.0010001\nm2,9.998\n",
        "node,timestamp\nm0,10\nm1,10.0010001\nm2,9.998\n",
        "t_s,m0,m1,m2,m3\n5,1777636800.0000000,1777636800.0010001,1777636799.998,\n",
        "event;m0_us;m1_us;m2_us\nclap;0;1000,1;-2000\n",
    ],
)
def test_arrival_times_become_differences_without_loss(text: str) -> None:
    (epoch,) = epochs(text)
    assert epoch.arrivals
    assert epoch.delay_s == pytest.approx([0.0010001, -0.002], abs=1e-12)
    assert epoch.second.tolist() == [0, 0]


def test_sensor_tables_in_many_hands() -> None:
    assert sensors("ID;X [cm];Y [cm]\nk1;100;0\nk2;0;250,5\n").position_m.tolist() == [[1.0, 0.0], [0.0, 2.505]]
    assert sensors("m0,0,0,1\nm1,1,0,2\n").position_m.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 2.0]]
    assert sensors("x_m,y_m,z_m\n0,0,\n1,0,\n").names == ("0", "1")
    assert sensors("x_m,y_m,z_m\n0,0,\n1,0,\n").dims == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "delays.csv: the table is empty"),
        ("t_s,a,b,delay_s\n", "header but no row"),
        ("t_s,a,b,delay_s\n0,m1,m0,0.001\n0,m1,m9,0.001\n", "line 3, column b: no sensor is called 'm9'"),
        ("t_s,a,b,delay_s\n0,m1,m0,fast\n", "line 2, column delay_s: 'fast' is not a number"),
        ("t_s,a,b,delay_s,sigma_s\n0,m1,m0,0.001,0\n", "line 2, column sigma_s: a sigma of 0"),
        ("t_s,a,b,delay_s,sigma_s\n0,m1,m0,0.001,-1e-6\n", "line 2, column sigma_s"),
        ("t_s,a,b,delay_s\n0,m1,m1,0.001\n", "line 2, column b: 'm1' is compared with itself"),
        ("t_s,a,b\n0,m1,m0\n", "no column delay_s"),
        ("t_s,a,b,delay_s\n,m1,m0,0.001\n", "line 2, column t_s: the time is missing"),
        ("t_s,a,b,delay_s\n0,m1,m0,0.001,7,8\n", "line 2: 6 fields under 4 columns"),
        ("node,timestamp\nm0,1\nm1,2\nm0,3\n", "--window"),
    ],
)
def test_what_is_refused_names_file_line_and_column(text: str, said: str) -> None:
    with pytest.raises(ControllerError, match=r"delays\.csv") as caught:
        epochs(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,x_m,y_m\nm0,0,0\nm0,1,1\n", "line 3, column name: sensor 'm0' stands twice"),
        ("name,x_m,y_m\nm0,0,\nm1,1,1\n", "line 2, column y_m: the coordinate is missing"),
        ("name,lat,lon\nm0,50,8\nm1,51,8\n", "UTM"),
        ("name,x_m,y_m\nm0,0,0\n", "1 sensors"),
        ("name,x_m,y_m\nm0,1,1\nm1,1,1\n", "one point"),
        ("name,x_m,y_m\nm0,1e15,1\nm1,1,1\n", "too far"),
    ],
)
def test_sensor_tables_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(ControllerError, match=r"sensors\.csv") as caught:
        sensors(text)
    assert said in str(caught.value)


def test_hulls_and_bounds() -> None:
    points = np.array([[2.0, 0.0, 0.0], [2.0, 1.5, 0.0], [-1.0, 0.0, 0.0], [2.0, 0.0, 1.1]])
    assert parse_hull("cylinder:1.1,4").excess_m(points) == pytest.approx([0.0, 0.4, 1.0, 0.0])
    assert parse_hull("cylinder:1.1,4,z@2,0,-2").excess_m(points) == pytest.approx([0.0, 0.4, 1.9, 0.0])
    assert parse_hull("box:2,2,2@0,-1,-1").excess_m(points) == pytest.approx([0.0, 0.5, 1.0, 0.1])
    assert parse_bounds("0,,,1").excess_m(points) == pytest.approx([0.0, 0.5, 1.0, 0.0])
    assert parse_bounds("0,3,0,1").excess_m(points[:, :2]) == pytest.approx([0.0, 0.5, 1.0, 0.0])
    for wrong in ("ball:1", "box:1", "cylinder:0,1", "cylinder:1,2,w", "box:1,2,x", "box:1,2,3@1"):
        with pytest.raises(ValueError, match=r"hull|number|axis|size|numbers"):
            parse_hull(wrong)
    for wrong in ("1,2", "2,1,0,1", "a,b,c,d"):
        with pytest.raises(ValueError, match=r"bounds|number"):
            parse_bounds(wrong)
