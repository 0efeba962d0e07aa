"""What a person reads about an app or a console: its own name, and never its system's version for a browser's."""

from __future__ import annotations

import pytest

from projections.devices import device, family

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WEBVIEW = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/122.0.6261.64 Mobile Safari/537.36"
)
CONSOLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

# Most as test data of ua-parser/uap-core, matomo-org/device-detector, WhichBrowser/Parser and element-hq has them, or
# public code that sends them; MyApp's in the forms of AFNetworking and Alamofire, some put behind the WebView.
APPS = [
    ("MyApp/2.3 (iPhone; iOS 18.1; Scale/3.00)", "MyApp 2 on iOS"),
    ("MyApp/2.3 (iPad; iOS 18.1; Scale/2.00)", "MyApp 2 on iPadOS"),
    ("MyApp/1.0 (com.example.MyApp; build:1; iOS 17.2.0) Alamofire/5.8.1", "MyApp 1 on iOS"),
    ("MyApp/1.0 (com.example.MyApp; build:1; macOS 14.0.0) Alamofire/5.8.1", "MyApp 1 on macOS"),
    ("Pulse/4.0.5 (iPhone; iOS 7.0.6; Scale/2.00)", "Pulse 4 on iOS"),
    ("Flipp-iOS/19.0.0 (iPhone; iOS 14.8; Scale/2.00)", "Flipp-iOS 19 on iOS"),
    ("Element/1.10.12 (iPhone 14 Pro Max; iOS 16.4.1; Scale/3.00)", "Element 1 on iOS"),
    (
        "Element/1.5.0 (Samsung SM-G960F; Android 6.0.1; RKQ1.200826.002; Flavour FDroid; MatrixAndroidSdk2 1.5.2)",
        "Element 1 on Android",
    ),
    ("Mattermost Mobile/2.0.0+443 (iOS; 16.2; iPhone 12)", "Mattermost Mobile 2 on iOS"),
    ("Mattermost Mobile/2.0.0+443 (Android; 13; Pixel 6)", "Mattermost Mobile 2 on Android"),
    ("Microsoft Office Word/16.11.319 (Mac OS/10.10.5; Desktop; en-US; AppStore)", "Microsoft Office Word 16 on macOS"),
    ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft PowerPoint 16.0.10730; Pro)", "Microsoft Office 16 on Windows"),
    ("OneDriveiOSApp/11.42.4 (iOS/13.3.1; en_CA; Apple/iPad)", "OneDriveiOSApp 11 on iPadOS"),
    ("RSSRadio/9220 (iPad;iOS;12.3.1)", "RSSRadio 9220 on iPadOS"),
    ("HP%20Smart/519 CFNetwork/894 Darwin/17.4.0", "HP Smart 519 on iOS"),
    ("Instapaper/7.8.3.3; CFNetwork/1128.0.1; Darwin/19.6.0", "Instapaper 7 on iOS"),
    ("1PasswordThumbs/1 CFNetwork/596.5 Darwin/12.5.0 (x86_64) (MacBookAir4%2C1)", "1PasswordThumbs 1 on macOS"),
    ("Pinterest/3.3.3 CFNetwork/609.1.4 Darwin/13.0.0", "Pinterest 3 on iOS"),
    ("com.google.GoogleMobile/23.1.0 iPhone/11.4.1 hw/iPhone6_2", "GoogleMobile 23 on iOS"),
    ("AntennaPod/3.4.0", "AntennaPod 3"),
    ("AntennaPod/", "AntennaPod"),
    ("Pandora Audio/2101.1 (Linux;Android 10) ExoPlayerLib/2.9.6", "Pandora Audio 2101 on Android"),
    ("RaveSocial/3.8.5;Android/10;Density/1.96875;Device/SM-A705FN;Manufacturer/samsung", "RaveSocial 3 on Android"),
    ("Dalvik/2.1.0 (Linux; U; Android 11; KB2000 Build/RP1A.201005.001)", "Dalvik 2 on Android"),
    (
        "Dalvik/2.1.0 (Linux; U; Android 6.0.1; MI 4LTE MIUI/V7.3.2.0.MXDCNDD) NewsArticle/5.1.3",
        "NewsArticle 5 on Android",
    ),
    (
        "WeRead/8.2.5 WRBrand/xiaomi Dalvik/2.1.0 (Linux; U; Android 12; Redmi Note 7 Pro Build/SQ3A.220705.004)",
        "WeRead 8 on Android",
    ),
    ("okhttp/2.7.5", "okhttp 2"),
    ("Guzzle/3.9.3 curl/7.38.0 PHP/5.6.14-0+deb8u1", "Guzzle 3"),
    ("Faraday v2.9.0", "Faraday 2"),
    ("Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.3.4", "PowerShell 7 on Windows"),
    ("Mozilla/5.0 (Macintosh; Darwin 23.3.0; en-US) PowerShell/7.4.1", "PowerShell 7 on macOS"),
]

IN_A_BROWSERS_CLOTHES = [
    (WEBVIEW, "WebView 122 on Android"),
    (
        f"{WEBVIEW} XWEB/1160065 MMWEBSDK/20231202 MMWEBID/2247 MicroMessenger/8.0.47.2560(0x28002F30) WeChat/arm64"
        " Weixin NetType/WIFI Language/zh_CN ABI/arm64",
        "WeChat 8 on Android",
    ),
    (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.49(0x18003135) NetType/WIFI Language/zh_CN", "WeChat 8 on iOS"),
    (
        f"{WINDOWS} Chrome/107.0.0.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) NetType/WIFI"
        " MiniProgramEnv/Windows WindowsWechat/WMPF WindowsWechat(0x63090a13) XWEB/8555",
        "WeChat 7 on Windows",
    ),
    (
        f"{IPAD} Mobile/15D100 AliApp(DingTalk/5.1.12) com.laiwang.DingTalk/13441885 Channel/201200 Pad/iPad"
        " language/zh-Hans-CN UT4Aplus/0.0.6 WK",
        "DingTalk 5 on iPadOS",
    ),
    (
        f"{IPHONE} Mobile/15E148 musical_ly_21.0.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/ru Region/UA"
        " ByteFullLocale/ru-RU isDarkMode/0 WKWebView/1",
        "TikTok 21 on iOS",
    ),
    (f"{IPHONE} Mobile/15E148 [LinkedInApp]", "LinkedIn on iOS"),
    (f"{IPHONE} Mobile/15E148 Pandora/2108.1.1", "Pandora 2108 on iOS"),
    (
        f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/457.0.0.38.107;FBBV/581887483;FBDV/iPhone14,5;FBSN/iOS;FBSV/17.4.1]",
        "Facebook 457 on iOS",
    ),
    (f"{WEBVIEW} Line/14.2.1/IAB", "LINE 14 on Android"),
    (f"{WEBVIEW} BingWeb/6.9.25207603", "BingWeb 6 on Android"),
    (f"{WEBVIEW} OKAndroid/19.11.26 b577 OkApp", "OKAndroid 19 on Android"),
    (f"Kik/15.15.0.21560 (Android 10) {WEBVIEW}", "Kik 15 on Android"),
    (f"{LINUX} Chrome/124.0.6367.243 Electron/30.1.2 Safari/537.36", "Electron 30 on Linux"),
    (f"{WINDOWS} discord/1.0.9235 Chrome/138.0.7204.251 Electron/37.6.0 Safari/537.36", "Discord 1 on Windows"),
    (f"{WINDOWS} Teams/1.2.00.34161 Chrome/66.0.3359.181 Electron/3.1.13 Safari/537.36", "Teams 1 on Windows"),
    (f"{MAC} obsidian/1.6.5 Chrome/124.0.6367.243 Electron/30.1.2 Safari/537.36", "Obsidian 1 on macOS"),
    (f"{MAC} Slack/4.36.140 Chrome/120.0.6099.276 Electron/28.2.1 Safari/537.36", "Slack 4 on macOS"),
    (f"{MAC} Rocket.Chat/2.17.11 Chrome/78.0.3904.130 Electron/7.1.14 Safari/537.36", "Rocket Chat 2 on macOS"),
    (f"{LINUX} Element/1.11.31 Chrome/112.0.5615.87 Electron/24.1.2 Safari/537.36", "Element 1 on Linux"),
]

CONSOLES = [
    (f"Mozilla/5.0 (PlayStation; PlayStation 5/2.26) {CONSOLE} Version/13.0 Safari/605.1.15", "PlayStation 5"),
    (f"Mozilla/5.0 (PlayStation 5 3.03/SmartTV) {CONSOLE}", "PlayStation 5"),
    ("Mozilla/5.0 (PlayStation 4 1.52) AppleWebKit/536.26 (KHTML, like Gecko)", "PlayStation 4"),
    ("Mozilla/5.0 (PLAYSTATION 3; 3.55)", "PlayStation 3"),
    ("Mozilla/5.0 (PlayStation Vita 3.01) AppleWebKit/536.26 (KHTML, like Gecko) Silk/3.2", "PlayStation Vita"),
    ("Mozilla/4.0 (PSP (PlayStation Portable); 2.00)", "PlayStation Portable"),
    (
        f"Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) {CONSOLE} NF/6.0.2.21.3 NintendoBrowser/5.1.0.22474",
        "Nintendo Switch",
    ),
    (
        "Mozilla/5.0 (Nintendo WiiU) AppleWebKit/534.52 (KHTML, like Gecko)"
        " NX/2.1.0.8.21 NintendoBrowser/1.0.0.7494.US",
        "Nintendo Wii U",
    ),
    ("Opera/9.30 (Nintendo Wii; U; ; 3642; en)", "Opera 9 on Nintendo Wii"),
    ("Mozilla/5.0 (Nintendo 3DS; U; ; en) Version/1.7498.EU", "Nintendo 3DS"),
    ("Bunjalloo/0.7.6(Nintendo DS;U;en)", "Bunjalloo on Nintendo DS"),
    (
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0; Xbox; Xbox One)",
        "Internet Explorer 10 on Xbox",
    ),
    (
        WINDOWS.replace("x64)", "x64; Xbox; Xbox Series X)") + " Chrome/122.0.0.0 Safari/537.36 Edge/122.0.0.0",
        "Edge 122 on Xbox",
    ),
]

VERSIONS_OF_SYSTEMS = [
    (
        "Mozilla/5.0 (Linux; U; Android 4.0.2; en-us; Galaxy Nexus Build/ICL53F) AppleWebKit/534.30 (KHTML, like Gecko)"
        " Version/4.0 Mobile Safari/534.30",
        "Android Browser on Android",
    ),
    ("Mozilla/5.0 (Linux; Android 13)", "Android"),
    ("Roku/DVP-9.10 (519.10E04111A)", "Roku"),
    ("BlackBerry9700/5.0.0.862 Profile/MIDP-2.1 Configuration/CLDC-1.1 VendorID/331", "BlackBerry OS"),
    (
        "Mozilla/5.0 (hp-tablet; Linux; hpwOS/3.0.5; U; en-US) AppleWebKit/534.6 (KHTML, like Gecko) wOSBrowser/234.83"
        " Safari/534.6 TouchPad/1.0",
        "webOS Browser on webOS",
    ),
    ("AppleTV11,1/11.1", "tvOS"),
]


@pytest.mark.parametrize(("user_agent", "text"), [*APPS, *IN_A_BROWSERS_CLOTHES])
def test_apps_that_name_themselves_are_named(user_agent: str, text: str) -> None:
    assert device(user_agent) == text


@pytest.mark.parametrize(("user_agent", "text"), CONSOLES)
def test_a_console_is_named_and_its_browser_where_it_has_a_name(user_agent: str, text: str) -> None:
    assert device(user_agent) == text


@pytest.mark.parametrize(("user_agent", "text"), VERSIONS_OF_SYSTEMS)
def test_the_version_of_a_system_is_never_a_browser_s(user_agent: str, text: str) -> None:
    assert device(user_agent) == text


def test_an_app_s_update_and_its_system_s_are_the_same_family() -> None:
    assert family("MyApp/2.3 (iPhone; iOS 18.1; Scale/3.00)") == family("MyApp/3.0 (iPhone; iOS 26.0; Scale/3.00)")
    assert family(f"{WEBVIEW} BingWeb/6.9.25") == family(f"{WEBVIEW.replace('122', '131')} BingWeb/7.1")
